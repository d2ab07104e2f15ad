//! What was seen: for programs a file, for people a few lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use load::Latency;
use serde::Serialize;

use super::Args;
use super::books::Books;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) pass: bool,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    calls_per_second: f64,
    programs: PathBuf,
    previous: Option<PathBuf>,
    pub(super) phases: Vec<Phase>,
    pub(super) books: Books,
    /// Where logs stay, if it failed.
    pub(super) logs: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
pub(super) struct Phase {
    name: &'static str,
    rounds: usize,
    pub(super) restarts: usize,
    pub(super) requests: u64,
    pub(super) ok: u64,
    /// By call and reason.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) examples: Vec<String>,
    /// From the time at which a call was due.
    pub(super) while_replaced: Latency,
    pub(super) while_calm: Latency,
    /// What should not have been beside failures.
    pub(super) troubles: Vec<String>,
}

impl Phase {
    pub(super) fn new(name: &'static str, rounds: usize) -> Self {
        Self {
            name,
            rounds,
            restarts: 0,
            requests: 0,
            ok: 0,
            failures: BTreeMap::new(),
            examples: Vec::new(),
            while_replaced: Latency::default(),
            while_calm: Latency::default(),
            troubles: Vec::new(),
        }
    }

    /// Every call was good, and there were some.
    fn passes(&self) -> bool {
        self.failures.is_empty()
            && self.troubles.is_empty()
            && self.ok == self.requests
            && self.ok > 0
            && self.restarts > 0
    }
}

impl Report {
    pub(super) fn new(args: &Args) -> Self {
        Self {
            pass: false,
            started: Utc::now(),
            ended: None,
            calls_per_second: args.rate,
            programs: args.programs.clone(),
            previous: args.previous.clone(),
            phases: Vec::new(),
            books: Books::default(),
            logs: None,
        }
    }

    pub(super) fn judge(&mut self) {
        self.ended = Some(Utc::now());
        self.pass = self.phases.iter().all(Phase::passes)
            && self.books.orders_told > 0
            && self.books.orders_lost == 0
            && self.books.unfinished == 0
            && self.books.violations.is_empty();
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let directory = file.parent().context("a directory for the report")?;
        std::fs::create_dir_all(directory)?;
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }

    #[expect(clippy::print_stdout, reason = "the report is what this is for")]
    pub(super) fn print(&self) {
        for phase in &self.phases {
            println!(
                "{}: {} restarts in {} rounds, {} calls, {} good",
                phase.name, phase.restarts, phase.rounds, phase.requests, phase.ok
            );
            let Latency {
                p50_ms,
                p99_ms,
                max_ms,
                ..
            } = phase.while_replaced;
            println!(
                "  while a replica is replaced: p50 {p50_ms:.0} ms, p99 {p99_ms:.0} ms, at most {max_ms:.0} ms"
            );
            let failures = phase.failures.iter();
            failures.for_each(|(kind, count)| println!("  {count} × {kind}"));
            let more = phase.examples.iter().chain(&phase.troubles);
            more.for_each(|line| println!("  {line}"));
        }
        let Books {
            orders_told,
            orders_lost,
            unfinished,
            violations,
        } = &self.books;
        println!(
            "{orders_told} orders, {orders_lost} lost, {unfinished} not finished, {} violations {violations:?}",
            violations.len()
        );
        if let Some(logs) = &self.logs {
            println!("logs: {}", logs.display());
        }
        println!("{}", if self.pass { "pass" } else { "FAIL" });
    }
}
