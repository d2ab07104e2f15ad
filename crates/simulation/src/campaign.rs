//! Many sagas with seeds in a row, on all cores, with a report.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::saga::{Dice, Rules, play};

#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    pub sagas: u64,
    /// Of the first; the next ones count on from it.
    pub seed: u64,
}

/// A saga that broke a promise.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    pub seed: u64,
    pub way: &'static str,
    pub broken: Vec<String>,
    pub timeline: Vec<String>,
    /// Plays this one alone.
    pub replay: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub pass: bool,
    pub sagas: u64,
    pub seed: u64,
    pub seconds: f64,
    pub moments: u64,
    pub faults: u64,
    /// How many orders ended in each state.
    pub ends: BTreeMap<&'static str, u64>,
    pub broken: u64,
    /// The first few.
    pub examples: Vec<Broken>,
}

const EXAMPLES_MAX: usize = 5;
const CHUNK: u64 = 500;

pub fn any_seed() -> u64 {
    u64::from(rand::random::<u32>())
}

pub fn run(campaign: &Campaign) -> Report {
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let total = Mutex::new(Report {
        sagas: campaign.sagas,
        seed: campaign.seed,
        ..Report::default()
    });
    let bar = ProgressBar::new(campaign.sagas);
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} sagas, {per_sec}, {eta} left, {msg}");
    bar.set_style(style.expect("a template"));
    bar.enable_steady_tick(Duration::from_millis(500));
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(CHUNK, Ordering::Relaxed);
                    if first >= campaign.sagas {
                        break;
                    }
                    let count = CHUNK.min(campaign.sagas - first);
                    let part = some(campaign.seed.wrapping_add(first), count);
                    let mut total = total.lock().expect("no thread has panicked");
                    total.add(part);
                    bar.set_message(format!("{} broken", total.broken));
                    bar.inc(count);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut report = total.into_inner().expect("no thread has panicked");
    report.seconds = started.elapsed().as_secs_f64();
    report.pass = report.broken == 0;
    report
}

fn some(seed: u64, count: u64) -> Report {
    let mut report = Report::default();
    for at in 0..count {
        let seed = seed.wrapping_add(at);
        let dice = Dice::roll(seed);
        let way = dice.way();
        let outcome = play(way, &Rules::OURS, dice);
        report.moments += outcome.moments as u64;
        report.faults += outcome.faults() as u64;
        *report.ends.entry(outcome.end.name()).or_default() += 1;
        if !outcome.broken.is_empty() {
            report.broken += 1;
            report.examples.push(Broken {
                seed,
                way: way.name,
                timeline: outcome.timeline(),
                broken: outcome.broken,
                replay: format!("make sim N=1 SEED={seed}"),
            });
            report.examples.truncate(EXAMPLES_MAX);
        }
    }
    report
}

impl Report {
    fn add(&mut self, part: Report) {
        self.moments += part.moments;
        self.faults += part.faults;
        self.broken += part.broken;
        for (end, count) in part.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.examples.extend(part.examples);
        self.examples.truncate(EXAMPLES_MAX);
    }

    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(self)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            sagas,
            seed,
            seconds,
            moments,
            faults,
            broken,
            ..
        } = self;
        writeln!(
            f,
            "{sagas} sagas from seed {seed}: {moments} moments, {faults} faults, {seconds:.1} s"
        )?;
        for (end, count) in &self.ends {
            writeln!(f, "  {end:<24} {count}")?;
        }
        for example in &self.examples {
            writeln!(
                f,
                "\n{} ({}): {:?}",
                example.seed, example.way, example.broken
            )?;
            for line in &example.timeline {
                writeln!(f, "    {line}")?;
            }
            writeln!(f, "  again: {}", example.replay)?;
        }
        write!(f, "{broken} of them broke a promise")
    }
}
