//! The command line: reads it, reads the settings, does what it says.

use std::{ffi::OsString, future::Future, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde::de::DeserializeOwned;
use settings::SettingsError;

use crate::{BoxError, Process, Settings, USAGE, healthcheck, lifecycle};

const ENV_PREFIX: &str = "CARTWRIGHT";

/// Who this process is.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// As in logs, traces and file names: `order-service`.
    pub name: &'static str,
    /// Usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
}

#[derive(Parser)]
struct Cli {
    /// Settings in TOML or YAML. CARTWRIGHT__SECTION__KEY overrides a key
    #[arg(long, global = true, env = "CARTWRIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM (the default)
    Serve,
    /// Bring the schema of the database up to date
    Migrate,
    /// Ask the running process whether it is ready; exits 0 or 1
    Healthcheck,
    /// Look at the settings without starting anything
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Exits 64, naming the key, if the settings are not good
    Check,
}

/// Runs the command of this process's arguments. `S` are the settings of the
/// service beside the common ones ([`Settings`]): both stand at the top level
/// of the file, and every key must belong to one of them.
///
/// `migrate` runs to its end. `serve` builds the service, calls
/// [`Process::started`], awaits [`Process::drained`], and cleans up.
pub fn run<S, M, MF, ME, R, RF, RE>(spec: Spec, migrate: M, serve: R) -> ExitCode
where
    S: DeserializeOwned,
    M: FnOnce(S) -> MF,
    MF: Future<Output = Result<(), ME>>,
    ME: Into<BoxError>,
    R: FnOnce(Process, S) -> RF,
    RF: Future<Output = Result<(), RE>> + Send + 'static,
    RE: Into<BoxError> + 'static,
{
    run_from(std::env::args_os(), spec, migrate, serve)
}

/// [`run`] with other arguments than those of the process; the first is its
/// name.
pub fn run_from<S, M, MF, ME, R, RF, RE>(
    args: impl IntoIterator<Item = OsString>,
    spec: Spec,
    migrate: M,
    serve: R,
) -> ExitCode
where
    S: DeserializeOwned,
    M: FnOnce(S) -> MF,
    MF: Future<Output = Result<(), ME>>,
    ME: Into<BoxError>,
    R: FnOnce(Process, S) -> RF,
    RF: Future<Output = Result<(), RE>> + Send + 'static,
    RE: Into<BoxError> + 'static,
{
    // Fails only if a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match parse(args, &spec) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let (common, own) = match load::<S>(&cli) {
        Ok(both) => both,
        Err(error) => {
            eprintln!("{}: {error}", spec.name);
            return ExitCode::from(USAGE);
        }
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => lifecycle::serve(spec, common, |process| serve(process, own)),
        Command::Migrate => lifecycle::migrate(spec, &common, || migrate(own)),
        Command::Healthcheck => healthcheck::run(spec.name, common.private_listen),
        Command::Config {
            command: ConfigCommand::Check,
        } => {
            eprintln!("{}: the settings are good", spec.name);
            ExitCode::SUCCESS
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>, spec: &Spec) -> Result<Cli, ExitCode> {
    let command = Cli::command()
        .name(spec.name)
        .bin_name(spec.name)
        .version(spec.version)
        .about(spec.about);
    let matches = command.try_get_matches_from(args);
    matches
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| {
            // Help and version are no errors; what cannot be printed is lost.
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            }
        })
}

fn load<S: DeserializeOwned>(cli: &Cli) -> Result<(Settings, S), SettingsError> {
    let (common, own) = settings::load_pair::<Settings, S>(cli.config.as_deref(), ENV_PREFIX)?;
    common.check()?;
    Ok((common, own))
}
