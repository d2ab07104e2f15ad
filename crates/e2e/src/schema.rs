//! `docs/telemetry.yaml`: everything that the shop tells about itself. Reading
//! it fails loudly at whatever is not as its head says.

mod entry;
mod pattern;

use std::{collections::BTreeMap, fs};

use yaml_rust2::YamlLoader;

use crate::checkout;
use entry::Entry;

/// Names, each with what it means.
pub struct Schema {
    /// By their names in code.
    pub spans: BTreeMap<String, Span>,
    /// Of spans, labels of metrics, and fields of the log.
    pub attributes: BTreeMap<String, Field>,
    /// By their names for OpenTelemetry.
    pub metrics: BTreeMap<String, Metric>,
    /// Of the log only.
    pub log_fields: BTreeMap<String, Field>,
    pub resource: BTreeMap<String, Field>,
}

pub struct Span {
    /// The pattern of its exported name.
    pub name: String,
    pub kind: String,
    pub made_by: Vec<String>,
    pub attributes: Vec<String>,
    pub meaning: String,
}

pub struct Field {
    pub type_: String,
    pub meaning: String,
    pub example: String,
    /// Any span may carry it.
    pub everywhere: bool,
}

pub struct Metric {
    pub kind: String,
    pub unit: String,
    pub labels: Vec<String>,
    pub made_by: Vec<String>,
    pub meaning: String,
}

impl Schema {
    /// Of this checkout.
    pub fn read() -> Self {
        let path = checkout().join("docs/telemetry.yaml");
        let text = fs::read_to_string(&path).expect("docs/telemetry.yaml");
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Self {
        let documents = YamlLoader::load_from_str(text).expect("docs/telemetry.yaml is YAML");
        let [document] = documents.as_slice() else {
            panic!("docs/telemetry.yaml is one document");
        };
        let mut top = Entry::of("telemetry.yaml", document);
        let schema = Self {
            spans: top.section("spans", span),
            attributes: top.section("attributes", field),
            metrics: top.section("metrics", metric),
            log_fields: top.section("log_fields", field),
            resource: top.section("resource", field),
        };
        top.end();
        schema.check();
        schema
    }

    fn check(&self) {
        let of_spans = self
            .spans
            .iter()
            .map(|(name, span)| (name, &span.attributes));
        let of_metrics = self
            .metrics
            .iter()
            .map(|(name, metric)| (name, &metric.labels));
        for (name, used) in of_spans.chain(of_metrics) {
            assert!(used.is_sorted(), "{name}: {used:?} is not sorted");
            let unknown = used
                .iter()
                .find(|name| !self.attributes.contains_key(*name));
            assert_eq!(unknown, None, "{name}: not among the attributes");
        }
        for (name, span) in &self.spans {
            for attribute in pattern::attributes(&span.name) {
                let has = span.attributes.iter().any(|own| own == attribute);
                assert!(
                    has,
                    "{name}: its name uses {attribute}, which it may not carry"
                );
            }
        }
        let twice = self
            .log_fields
            .keys()
            .find(|name| self.attributes.contains_key(*name));
        assert_eq!(
            twice, None,
            "among the attributes, and among the fields of the log"
        );
    }

    /// The span in code that is exported so.
    pub fn span_of(
        &self,
        name: &str,
        kind: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Option<(&str, &Span)> {
        let fits =
            |span: &Span| span.kind == kind && pattern::filled(&span.name, attributes) == name;
        let mut spans = self.spans.iter();
        let (name, span) = spans.find(|(_, span)| fits(span))?;
        Some((name, span))
    }

    /// Whether `span` may carry `attribute`.
    pub fn may_carry(&self, span: &Span, attribute: &str) -> bool {
        let is_everywhere = || {
            self.attributes
                .get(attribute)
                .is_some_and(|one| one.everywhere)
        };
        span.attributes.iter().any(|own| own == attribute) || is_everywhere()
    }

    /// Whether a line of the log may have a field of this name.
    pub fn has_log_field(&self, name: &str) -> bool {
        let all = [&self.log_fields, &self.attributes, &self.resource];
        all.iter().any(|fields| fields.contains_key(name))
    }
}

impl Metric {
    /// Its name for Prometheus, without what a histogram appends.
    pub fn prometheus(&self, name: &str) -> String {
        let unit = match self.unit.as_str() {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" if self.kind == "gauge" => "_ratio",
            _ => "",
        };
        let total = if self.kind == "counter" { "_total" } else { "" };
        format!("{}{unit}{total}", name.replace('.', "_"))
    }
}

fn span(entry: &mut Entry<'_>) -> Span {
    Span {
        name: entry.text("name"),
        kind: entry.one_of(
            "kind",
            &["internal", "server", "client", "producer", "consumer"],
        ),
        made_by: made_by(entry),
        attributes: entry.texts("attributes"),
        meaning: entry.text("meaning"),
    }
}

fn field(entry: &mut Entry<'_>) -> Field {
    Field {
        type_: entry.one_of("type", &["string", "int", "float", "bool"]),
        meaning: entry.text("meaning"),
        example: entry.text("example"),
        everywhere: entry.flag("everywhere"),
    }
}

fn metric(entry: &mut Entry<'_>) -> Metric {
    Metric {
        kind: entry.one_of("kind", &["counter", "histogram", "gauge", "sum"]),
        unit: entry.text("unit"),
        labels: entry.texts("labels"),
        made_by: made_by(entry),
        meaning: entry.text("meaning"),
    }
}

fn made_by(entry: &mut Entry<'_>) -> Vec<String> {
    let folders = entry.texts("made_by");
    for folder in &folders {
        let there = checkout().join("crates").join(folder).is_dir();
        assert!(there, "made_by: there is no crates/{folder}");
    }
    folders
}
