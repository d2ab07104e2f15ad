//! Experiments with the whole shop. Each writes a report and ends with 0 if the
//! shop kept its promises, 1 if not, 2 if it could not be tried.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Breaks the shop on purpose and judges what is left")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kill, freeze and cut everything under load.
    Run(chaos::run::Args),
    /// Plant bugs, one after the other, and see whether they are caught.
    Planted(chaos::planted::Args),
    /// Show which failpoints the load comes by.
    Points(chaos::points::Args),
    /// Replace each replica in turn under load; not a single call may fail.
    Rolling(chaos::rolling::Args),
    /// Offer more than the shop can do, and look at what it does then.
    Overload(chaos::overload::Args),
    /// Lose the database under load, restore it to a point, and settle what the
    /// provider knows better.
    Drill(chaos::drill::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => chaos::run::run(args).await,
        Command::Planted(args) => chaos::planted::planted(args).await,
        Command::Points(args) => chaos::points::points(args).await,
        Command::Rolling(args) => chaos::rolling::run(args).await,
        Command::Overload(args) => chaos::overload::run(args).await,
        Command::Drill(args) => chaos::drill::run(args).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}
