//! What a drill has shown.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::verdict::Check;
use crate::workload::Counters;

#[derive(Debug, Serialize)]
pub struct Report {
    pub pass: bool,
    pub seed: u64,
    pub calls_per_second: f64,
    pub programs: PathBuf,
    /// What a restore to the end of the archive would have lost.
    pub rpo_s: f64,
    /// From the loss of the cluster to the first new order that was confirmed.
    pub rto_s: f64,
    /// Of what was done after the restore point nothing is in the books: it was
    /// given up on purpose.
    pub point_to_loss_s: f64,
    pub phases: Phases,
    pub load: Counters,
    /// Of calls that were answered with success.
    pub acknowledged_before_point: usize,
    pub acknowledged_after_point: usize,
    /// By kind.
    pub provider: Settled,
    pub orders: Settled,
    /// Differences that a second run found.
    pub second_run: usize,
    pub checks: Vec<Check>,
    /// Where logs stay, if it failed.
    pub logs: Option<PathBuf>,
}

/// In seconds.
#[derive(Debug, Default, Serialize)]
pub struct Phases {
    /// The base backup, under load, with its verification.
    pub base_backup_s: f64,
    /// From the loss on: each ends where the next begins.
    pub restore_s: f64,
    pub start_payments_and_stock_s: f64,
    pub reconcile_provider_s: f64,
    pub start_orders_s: f64,
    pub first_order_s: f64,
    pub reconcile_orders_s: f64,
    pub rest_s: f64,
}

/// What one of the two commands has compared and settled.
#[derive(Debug, Default, Serialize)]
pub struct Settled {
    pub compared: u64,
    pub differences: std::collections::BTreeMap<String, usize>,
}

impl Settled {
    /// Of the command's JSON; `kind` is the name of the field that says what a
    /// difference is.
    pub fn of(answer: &serde_json::Value, kind: &str) -> Result<Self> {
        let compared = answer["compared"].as_u64().context("compared")?;
        let found = answer["differences"].as_array().context("differences")?;
        let mut differences = std::collections::BTreeMap::new();
        for difference in found {
            let kind = difference[kind].as_str().context("a kind")?;
            *differences.entry(kind.to_owned()).or_default() += 1;
        }
        Ok(Self {
            compared,
            differences,
        })
    }

    pub fn count(&self) -> usize {
        self.differences.values().sum()
    }
}

impl Report {
    pub fn write(&self, file: &Path) -> Result<()> {
        let directory = file.parent().context("a directory for the report")?;
        std::fs::create_dir_all(directory)?;
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }

    #[expect(clippy::print_stdout, reason = "the report is what this is for")]
    pub fn print(&self) {
        let phases = &self.phases;
        println!("base backup            {:>7.1} s", phases.base_backup_s);
        println!("restore                {:>7.1} s", phases.restore_s);
        let start = phases.start_payments_and_stock_s;
        println!("payments and stock up  {start:>7.1} s");
        let (seconds, found) = (phases.reconcile_provider_s, &self.provider.differences);
        println!("payment reconcile      {seconds:>7.1} s  {found:?}");
        println!("orders up              {:>7.1} s", phases.start_orders_s);
        println!("first order            {:>7.1} s", phases.first_order_s);
        let (seconds, found) = (phases.reconcile_orders_s, &self.orders.differences);
        println!("order reconcile        {seconds:>7.1} s  {found:?}");
        println!("all at rest            {:>7.1} s", phases.rest_s);
        println!();
        for check in &self.checks {
            let (name, broken, looked) = (check.name, check.violations, check.looked_at);
            let mark = if check.passes() { "" } else { "  FAIL" };
            println!("{name:<24} {broken:>5} of {looked}{mark}");
            if let Some(trouble) = &check.trouble {
                println!("  {trouble}");
            }
            for example in &check.examples {
                let order = example.order.as_deref().unwrap_or("no order");
                println!("  {order}: {}", example.what);
            }
        }
        let (before, after) = (
            self.acknowledged_before_point,
            self.acknowledged_after_point,
        );
        println!();
        println!("{before} calls were acknowledged before the restore point, {after} after it");
        println!("RPO {:.1} s (archive), RTO {:.1} s", self.rpo_s, self.rto_s);
        if let Some(logs) = &self.logs {
            println!("logs: {}", logs.display());
        }
        println!("{}", if self.pass { "pass" } else { "FAIL" });
    }
}
