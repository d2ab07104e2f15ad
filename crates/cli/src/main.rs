//! Reads the command line, runs one command, tells the exit code.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{args::Cli, exit::Exit, run};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run::run(cli, Cli::command()).await {
        Ok(()) => Exit::Done.into(),
        Err(failure) if failure.is_closed_pipe() => Exit::Done.into(),
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit().into()
        }
    }
}

/// Help and version go to stdout and are no failure; anything else is.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.print();
    match (error.use_stderr(), shown) {
        (false, Ok(())) => Exit::Done.into(),
        _ => Exit::BadInput.into(),
    }
}
