//! Plays many orders, each under faults that its seed decides, and says which
//! promise broke.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool for tests, whose report is its output"
)]

use std::process::ExitCode;

use clap::Parser;
use simulation::campaign::{self, Campaign};

/// Simulated sagas under random faults.
#[derive(Parser)]
struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    sagas: u64,
    /// That of the first; the next ones count on from it. Random if absent.
    #[arg(long)]
    seed: Option<u64>,
    /// Where to write the report.
    #[arg(long)]
    report: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let campaign = Campaign {
        sagas: arguments.sagas,
        seed: arguments.seed.unwrap_or_else(campaign::any_seed),
    };
    let report = campaign::run(&campaign);
    println!("{report}");
    if let Some(path) = arguments.report {
        report.write(&path).expect("a report that can be written");
    }
    match report.pass {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
