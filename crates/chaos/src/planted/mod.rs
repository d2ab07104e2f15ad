//! Whether the harness sees what it is there to see: each bug that is planted
//! must be caught, and without one there must be nothing to catch.

mod provocation;
mod refunds;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use failpoint::{BUGS, Bug, PLANTED_BUG};
use serde::Serialize;

use self::provocation::{Provocation, all_at_once, double_refunds, of};
use crate::report::Report;
use crate::run::{Remains, Trial};
use crate::schedule::Counts;
use crate::shop::Config;
use crate::verdict::Check;

/// What the runs without a bug are called.
const NO_BUG: &str = "no-bug";
/// So often a bug is provoked before it counts as not caught.
const TRIES_MAX: u64 = 3;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Decides what clients ask for.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// These alone; `no-bug` is the runs without any. All when absent.
    #[arg(long)]
    pub only: Vec<String>,
    /// Programs with planted bugs, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/with")]
    pub programs: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = ".run/reports/planted-bugs.json")]
    pub report: PathBuf,
}

#[derive(Debug, Serialize)]
struct Planted {
    pass: bool,
    seed: u64,
    caught: usize,
    bugs: Vec<Caught>,
    /// The same provocations without a bug.
    without: Vec<Clean>,
}

#[derive(Debug, Serialize)]
struct Caught {
    bug: &'static str,
    breaks: &'static str,
    caught: bool,
    tries: u64,
    seconds: f64,
    /// The checks that saw it, and how much of it.
    by: Vec<Seen>,
}

#[derive(Debug, Serialize)]
struct Seen {
    check: &'static str,
    violations: u64,
    example: Option<String>,
}

#[derive(Debug, Serialize)]
struct Clean {
    what: &'static str,
    clean: bool,
    /// Checks that the provocation breaks by itself.
    ignored: &'static [&'static str],
    violations: Vec<Seen>,
    troubles: Vec<String>,
}

/// True if every bug was caught, and nothing where there was none.
///
/// # Errors
/// When a trial could not be carried out.
pub async fn planted(args: Args) -> Result<bool> {
    let chosen = |bug: &&Bug| args.only.is_empty() || args.only.iter().any(|one| one == bug.name);
    let chosen: Vec<&Bug> = BUGS.iter().filter(chosen).collect();
    let without_any = args.only.is_empty() || args.only.iter().any(|one| one == NO_BUG);
    anyhow::ensure!(
        without_any || !chosen.is_empty(),
        "there is no bug {:?}",
        args.only
    );
    let mut bugs = Vec::new();
    for bug in &chosen {
        bugs.push(
            catch(&args, bug)
                .await
                .with_context(|| bug.name.to_owned())?,
        );
    }
    let mut without = Vec::new();
    if without_any {
        for provocation in [all_at_once(), double_refunds()] {
            without.push(clean(&args, &provocation).await?);
        }
    }
    let caught = bugs.iter().filter(|one| one.caught).count();
    let pass = caught == bugs.len() && without.iter().all(|one| one.clean);
    let planted = Planted {
        pass,
        seed: args.seed,
        caught,
        bugs,
        without,
    };
    write(&planted, &args.report)?;
    print(&planted);
    Ok(pass)
}

async fn catch(args: &Args, bug: &'static Bug) -> Result<Caught> {
    let provocation = of(bug.name);
    let began = std::time::Instant::now();
    let mut caught = Caught {
        bug: bug.name,
        breaks: bug.breaks,
        caught: false,
        tries: 0,
        seconds: 0.0,
        by: Vec::new(),
    };
    while !caught.caught && caught.tries < TRIES_MAX {
        eprintln!("· planting {}", bug.name);
        let (report, _) = attempt(args, Some(bug), &provocation, caught.tries).await?;
        caught.tries += 1;
        caught.by = seen(&report, provocation.ignored);
        caught.caught = !caught.by.is_empty();
        let by: Vec<&str> = caught.by.iter().map(|seen| seen.check).collect();
        eprintln!("· {} is caught by {by:?}", bug.name);
    }
    caught.seconds = began.elapsed().as_secs_f64();
    Ok(caught)
}

async fn clean(args: &Args, provocation: &Provocation) -> Result<Clean> {
    eprintln!("· planting nothing, with {}", provocation.what);
    let (report, remains) = attempt(args, None, provocation, 0).await?;
    let violations = seen(&report, provocation.ignored);
    let blind = report
        .verdict
        .failed()
        .filter(|check| check.violations == 0);
    let blind = blind.map(|check| format!("{}: {:?}", check.name, check.trouble));
    let mut troubles = report.troubles.clone();
    troubles.extend(blind);
    for seen in &violations {
        eprintln!("· {}: {} {:?}", seen.check, seen.violations, seen.example);
    }
    for trouble in &troubles {
        eprintln!("· {trouble}");
    }
    let clean = violations.is_empty() && troubles.is_empty();
    if !clean {
        eprintln!("· logs and history: {}", remains.keep()?.display());
    }
    Ok(Clean {
        what: provocation.what,
        clean,
        ignored: provocation.ignored,
        violations,
        troubles,
    })
}

async fn attempt(
    args: &Args,
    bug: Option<&'static Bug>,
    provocation: &Provocation,
    tries: u64,
) -> Result<(Report, Remains)> {
    let mut shop = Config::new(&args.programs);
    shop.proxied = true;
    for program in bug.map(|bug| bug.programs).unwrap_or_default() {
        let planted = (
            PLANTED_BUG.to_owned(),
            bug.map_or("", |bug| bug.name).to_owned(),
        );
        shop.env.insert(program, vec![planted]);
    }
    let trial = Trial {
        seed: args.seed + tries,
        length: provocation.length,
        rate: provocation.rate,
        shop,
        counts: Counts::default(),
        points: Vec::new(),
    };
    let faults = provocation.faults.clone();
    trial.carry_out(|_| faults, provocation.beside).await
}

/// Violations; a check that could not be carried out has seen nothing.
fn seen(report: &Report, ignored: &[&str]) -> Vec<Seen> {
    let failed = report.verdict.failed().filter(|check| check.violations > 0);
    let failed = failed.filter(|check| !ignored.contains(&check.name));
    let seen = failed.map(|check: &Check| Seen {
        check: check.name,
        violations: check.violations,
        example: check.examples.first().map(|example| example.what.clone()),
    });
    seen.collect()
}

fn write(planted: &Planted, file: &Path) -> Result<()> {
    let directory = file.parent().context("a directory for the report")?;
    std::fs::create_dir_all(directory)?;
    let text = serde_json::to_string_pretty(planted)?;
    std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
}

#[expect(clippy::print_stdout, reason = "the report is what this is for")]
fn print(planted: &Planted) {
    for bug in &planted.bugs {
        let by: Vec<&str> = bug.by.iter().map(|seen| seen.check).collect();
        let mark = if bug.caught { "caught" } else { "NOT CAUGHT" };
        println!(
            "{:<28} {mark} in try {} after {:.0} s: {}",
            bug.bug,
            bug.tries,
            bug.seconds,
            by.join(", ")
        );
    }
    for run in &planted.without {
        let mark = if run.clean { "clean" } else { "NOT CLEAN" };
        println!("no bug, {:<20} {mark}", run.what);
        for seen in &run.violations {
            println!("  {}: {} {:?}", seen.check, seen.violations, seen.example);
        }
        for trouble in &run.troubles {
            println!("  {trouble}");
        }
    }
    let verdict = if planted.pass { "pass" } else { "FAIL" };
    println!(
        "{verdict}; {} of {} caught",
        planted.caught,
        planted.bugs.len()
    );
}
