//! What a run has shown: for programs a file, for people a table.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::faults::{Notes, Tally};
use crate::run::Trial;
use crate::verdict::{Check, Times, Verdict};
use crate::workload::Counters;

/// Within this the last saga must have ended after 99 of 100 restarts.
const RECOVERY_S_MAX: f64 = 10.0;

#[derive(Debug, Serialize)]
pub struct Report {
    pub pass: bool,
    pub seed: u64,
    /// The command that does the same again.
    pub replay: String,
    pub started: DateTime<Utc>,
    pub minutes: f64,
    pub calls_per_second: f64,
    pub programs: PathBuf,
    /// Where logs and history stay, if it failed.
    pub logs: Option<PathBuf>,
    pub faults: Tally,
    pub asked: Option<Asked>,
    pub load: Counters,
    pub verdict: Verdict,
    /// What should not have been beside violations.
    pub troubles: Vec<String>,
}

/// What must have happened for a run to say anything.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Asked {
    pub kills: usize,
    pub aborts: usize,
}

impl Report {
    pub fn new(
        trial: &Trial,
        started: DateTime<Utc>,
        load: Counters,
        notes: Notes,
        verdict: Verdict,
    ) -> Self {
        let mut report = Self {
            pass: false,
            seed: trial.seed,
            replay: String::new(),
            started,
            minutes: trial.length.as_secs_f64() / 60.0,
            calls_per_second: trial.rate,
            programs: trial.shop.programs.clone(),
            logs: None,
            faults: notes.tally,
            asked: None,
            load,
            verdict,
            troubles: notes.troubles,
        };
        report.pass = report.is_clean();
        report
    }

    /// Nothing is broken, whatever was tried.
    pub fn is_clean(&self) -> bool {
        self.verdict.pass && self.troubles.is_empty()
    }

    /// Fails what was tried too little.
    pub fn asked(&mut self, asked: Asked) {
        self.asked = Some(asked);
        let faults = &self.faults.faults;
        let count = |kind| faults.get(kind).copied().unwrap_or_default();
        for (kind, at_least) in [("kill", asked.kills), ("failpoint abort", asked.aborts)] {
            if count(kind) < at_least {
                let done = count(kind);
                self.troubles
                    .push(format!("{done} times {kind}, and not {at_least}"));
            }
        }
        self.pass = self.is_clean();
    }

    /// Fails what came back too late.
    pub fn in_time(&mut self) {
        let alone = &self.verdict.recovery.undisturbed;
        if alone.count == 0 {
            let unseen = "no recovery was seen that nothing disturbed".to_owned();
            self.troubles.push(unseen);
        }
        if alone.p99_s > RECOVERY_S_MAX {
            let p99 = alone.p99_s;
            let late = format!("recovery took {p99:.1} s at p99, more than {RECOVERY_S_MAX} s");
            self.troubles.push(late);
        }
        self.pass = self.is_clean();
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        let directory = file.parent().context("a directory for the report")?;
        std::fs::create_dir_all(directory)?;
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }

    #[expect(clippy::print_stdout, reason = "the report is what this is for")]
    pub fn print(&self) {
        println!("{}", self.table());
        for line in self.findings() {
            println!("{line}");
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        let faults = self.faults.faults.iter();
        for (kind, count) in faults {
            table.add_row([(*kind).to_owned(), count.to_string(), String::new()]);
        }
        table.add_row(["", "", ""]);
        for check in &self.verdict.checks {
            table.add_row(row(check));
        }
        table
    }

    fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let recovery = &self.verdict.recovery;
        lines.push(times("recovery", &recovery.all));
        lines.push(times(
            "recovery, nothing else broken",
            &recovery.undisturbed,
        ));
        match self.verdict.rest_s {
            Some(seconds) => lines.push(format!("all was quiet after {seconds:.1} s")),
            None => lines.push("it did not become quiet".to_owned()),
        }
        for check in self.verdict.failed() {
            lines.push(format!("\n{}: {}", check.name, check.says));
            lines.extend(check.trouble.clone());
            lines.extend(check.examples.iter().map(|example| {
                let order = example.order.as_deref().unwrap_or("no order");
                format!("  {order}: {}", example.what)
            }));
        }
        for timeline in &self.verdict.timelines {
            lines.push(format!("\nwhat happened to {}", timeline.order));
            lines.extend(timeline.lines.iter().map(|line| format!("  {line}")));
        }
        lines.extend(
            self.troubles
                .iter()
                .map(|trouble| format!("\ntrouble: {trouble}")),
        );
        if let Some(logs) = &self.logs {
            lines.push(format!("\nlogs and history: {}", logs.display()));
        }
        let verdict = if self.pass { "pass" } else { "FAIL" };
        lines.push(format!(
            "\n{verdict}; seed {}; again: {}",
            self.seed, self.replay
        ));
        lines
    }
}

fn row(check: &Check) -> [String; 3] {
    let mark = if check.passes() { "" } else { "  FAIL" };
    let looked = format!("of {}{mark}", check.looked_at);
    [check.name.to_owned(), check.violations.to_string(), looked]
}

fn times(what: &str, times: &Times) -> String {
    format!(
        "{what}: {} times, p50 {:.1} s, p99 {:.1} s, at most {:.1} s",
        times.count, times.p50_s, times.p99_s, times.max_s
    )
}
