//! `cartwright audit`

use clap::Args;

use crate::{
    audit::{self, Finding},
    failure::Failure,
    output::{Format, Output, table},
    shop::Shop,
};

#[derive(Debug, Args)]
pub struct Audit {
    /// Also compare the services with each other, order by order (O2, O3, O4).
    #[arg(long)]
    deep: bool,
    /// Leave out what needs the payment provider (M4).
    #[arg(long)]
    skip_provider: bool,
}

pub async fn run(args: &Audit, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut findings = audit::run(shop, args.skip_provider).await?;
    if args.deep {
        findings.extend(audit::deep::run(shop).await?);
    }
    let violations = audit::violations(&findings);
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "violations": violations,
            "findings": findings,
        }))?,
        Format::Table => output.text(&view(&findings))?,
    }
    match violations {
        0 => Ok(()),
        1 => Err(Failure::Mismatch("the audit found 1 violation".to_owned())),
        many => Err(Failure::Mismatch(format!(
            "the audit found {many} violations"
        ))),
    }
}

fn view(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|finding| {
        [
            finding.service.to_owned(),
            finding.invariant.clone(),
            finding.violations.to_string(),
            finding.description.clone(),
            finding.samples.join(" "),
        ]
    });
    table(
        [
            "SERVICE",
            "INVARIANT",
            ">VIOLATIONS",
            "WHAT MUST HOLD",
            "SAMPLES",
        ],
        rows,
    )
}
