//! `cartwright config`: what the services can be told. It knows what is checked
//! in under `docs/`, and asks nobody.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::{
    failure::Failure,
    output::{Format, Output},
};

const PAGE: &str = include_str!("../../../../docs/settings.md");
const SCHEMAS: &str = include_str!("../../../../docs/settings.json");

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every key of the services' settings: type, default, variable,
    /// meaning. With `--output json`: JSON schemas of the settings files.
    Reference(Reference),
}

#[derive(Debug, Args)]
pub struct Reference {
    /// Only the keys of this one.
    #[arg(value_enum)]
    service: Option<Service>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Service {
    OrderService,
    PaymentService,
    InventoryService,
    PaymentSimulator,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::OrderService => "order-service",
            Self::PaymentService => "payment-service",
            Self::InventoryService => "inventory-service",
            Self::PaymentSimulator => "payment-simulator",
        }
    }

    /// Is it spoken of under this heading?
    fn is_under(self, heading: &str) -> bool {
        match heading {
            "Every process" => true,
            "Every service" => self != Self::PaymentSimulator,
            heading => heading == self.name(),
        }
    }
}

pub fn run(command: &Command, output: Output) -> Result<(), Failure> {
    let Command::Reference(Reference { service }) = command;
    match output.format {
        Format::Table => output.text(&page(*service)),
        Format::Json => output.json(&schemas(*service)?),
    }
}

fn page(service: Option<Service>) -> String {
    let Some(service) = service else {
        return PAGE.to_owned();
    };
    let mut chapters = PAGE.split("\n## ");
    let mut page = chapters.next().unwrap_or_default().to_owned();
    for chapter in chapters {
        let heading = chapter.lines().next().unwrap_or_default();
        if service.is_under(heading) {
            page.push_str("\n## ");
            page.push_str(chapter);
        }
    }
    page
}

fn schemas(service: Option<Service>) -> Result<Value, Failure> {
    let mut all: Value = serde_json::from_str(SCHEMAS).map_err(std::io::Error::from)?;
    Ok(match service {
        Some(service) => all[service.name()].take(),
        None => all,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_service_has_its_chapters_and_no_others() {
        let chapters = |service| {
            let page = page(Some(service));
            assert!(page.starts_with("# Settings\n"));
            let heads = page.lines().filter_map(|line| line.strip_prefix("## "));
            heads.map(str::to_owned).collect::<Vec<_>>()
        };
        let payment = ["Every process", "Every service", "payment-service"];
        assert_eq!(chapters(Service::PaymentService), payment);
        let simulator = ["Every process", "payment-simulator"];
        assert_eq!(chapters(Service::PaymentSimulator), simulator);
    }

    #[test]
    fn every_service_has_a_chapter_and_a_schema() {
        for service in Service::value_variants() {
            assert!(PAGE.contains(&format!("\n## {}\n", service.name())));
            let schema = schemas(Some(*service)).unwrap();
            assert_eq!(schema["title"], service.name());
            assert!(schema["properties"]["log"]["properties"]["level"].is_object());
        }
    }
}
