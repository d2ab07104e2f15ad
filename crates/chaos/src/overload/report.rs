//! What was seen, and whether it is good enough: for programs a file, for people
//! a few lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Args;
use super::client::Window;
use super::memory::Resident;
use super::weight;

/// So much of the knee's goodput must be left.
const GOODPUT_MIN: f64 = 0.9;
/// The p99 of what is let in may be so many times that at the knee.
const P99_MAX: f64 = 2.0;
/// Where most is offered: of few rejections those are many that come when a surge
/// begins, after a wait in vain.
const REJECTION_MS_MAX: f64 = 20.0;
const RECOVERY_S_MAX: f64 = 10.0;
/// No process may hold more.
const RESIDENT_MIB_MAX: f64 = 512.0;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) pass: bool,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    programs: PathBuf,
    replicas: usize,
    postgres_nice: u8,
    pub(super) variants: Vec<Variant>,
}

#[derive(Debug, Serialize)]
pub(super) struct Variant {
    name: &'static str,
    provider_delay_ms: u64,
    pub(super) knee: Window,
    pub(super) stages: Vec<Stage>,
    pub(super) memory: BTreeMap<String, Resident>,
    pub(super) restarts: usize,
    /// Processes that were gone in the end.
    pub(super) ended: Vec<String>,
    /// What is not good enough.
    pub(super) misses: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Stage {
    pub(super) multiple: f64,
    pub(super) window: Window,
    /// None: too long.
    pub(super) recovery_s: Option<f64>,
}

impl Variant {
    pub(super) fn new(name: &'static str, provider_delay_ms: u64, knee: Window) -> Self {
        Self {
            name,
            provider_delay_ms,
            knee,
            stages: Vec::new(),
            memory: BTreeMap::new(),
            restarts: 0,
            ended: Vec::new(),
            misses: Vec::new(),
        }
    }

    fn judge(&mut self) {
        let mut misses = Vec::new();
        let multiples = self.stages.iter().map(|stage| stage.multiple);
        let most = multiples.fold(0.0, f64::max);
        for stage in &self.stages {
            let at = |what: String| format!("at {} times the knee {what}", stage.multiple);
            let Window {
                goodput,
                accepted,
                rejected,
                failed,
                not_sent,
                ..
            } = &stage.window;
            let share = goodput / self.knee.goodput;
            if share < GOODPUT_MIN {
                misses.push(at(format!(
                    "goodput is {:.0} % of the knee's",
                    100.0 * share
                )));
            }
            let longer = accepted.p99_ms / self.knee.accepted.p99_ms;
            if longer > P99_MAX {
                misses.push(at(format!(
                    "p99 of the accepted is {longer:.1} times the knee's"
                )));
            }
            if stage.multiple >= most && rejected.p99_ms > REJECTION_MS_MAX {
                misses.push(at(format!(
                    "p99 of rejections is {:.1} ms",
                    rejected.p99_ms
                )));
            }
            if failed + not_sent > 0 {
                misses.push(at(format!(
                    "{failed} calls failed, {not_sent} were not sent"
                )));
            }
            match stage.recovery_s {
                Some(seconds) if seconds <= RECOVERY_S_MAX => {}
                Some(seconds) => misses.push(at(format!("recovery took {seconds:.1} s"))),
                None => misses.push(at("there was no recovery".to_owned())),
            }
        }
        for (name, resident) in &self.memory {
            if resident.most_mib > RESIDENT_MIB_MAX {
                misses.push(format!("{name} held {:.0} MiB", resident.most_mib));
            }
        }
        if self.restarts > 0 || !self.ended.is_empty() {
            misses.push(format!(
                "{} restarts, gone: {:?}",
                self.restarts, self.ended
            ));
        }
        if self.stages.is_empty() || self.memory.is_empty() {
            misses.push("nothing was tried".to_owned());
        }
        self.misses = misses;
    }
}

impl Report {
    pub(super) fn new(args: &Args) -> Self {
        Self {
            pass: false,
            started: Utc::now(),
            ended: None,
            programs: args.programs.clone(),
            replicas: args.replicas,
            postgres_nice: weight::NICE,
            variants: Vec::new(),
        }
    }

    pub(super) fn judge(&mut self) {
        self.ended = Some(Utc::now());
        self.variants.iter_mut().for_each(Variant::judge);
        let clean = |variant: &Variant| variant.misses.is_empty();
        self.pass = !self.variants.is_empty() && self.variants.iter().all(clean);
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let directory = file.parent().context("a directory for the report")?;
        std::fs::create_dir_all(directory)?;
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }

    #[expect(clippy::print_stdout, reason = "the report is what this is for")]
    pub(super) fn print(&self) {
        for variant in &self.variants {
            println!("{}", variant.name);
            println!("  the knee: {}", variant.knee.line());
            for stage in &variant.stages {
                let recovery = stage.recovery_s;
                let recovery =
                    recovery.map_or("no recovery".to_owned(), |it| format!("recovery {it:.1} s"));
                println!("  ×{}: {}; {recovery}", stage.multiple, stage.window.line());
                let examples = stage.window.examples.iter();
                examples.for_each(|example| println!("      {example}"));
            }
            for (name, resident) in &variant.memory {
                let Resident {
                    before_mib,
                    most_mib,
                    after_mib,
                } = resident;
                println!(
                    "  {name}: {before_mib:.0} MiB before, at most {most_mib:.0}, {after_mib:.0} after"
                );
            }
            println!("  {} restarts", variant.restarts);
            variant
                .misses
                .iter()
                .for_each(|miss| println!("  MISSED: {miss}"));
        }
        println!("{}", if self.pass { "pass" } else { "FAIL" });
    }
}
