//! The command line: reads it, reads the settings, does what it says.

use std::{
    ffi::OsString,
    future::Future,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use settings::{SettingsError, Values};

use crate::{
    BoxError, Process, Reloads, Settings, USAGE, healthcheck, lifecycle, reference, reload::Watch,
};

/// Of the variables that are settings.
pub(crate) const ENV_PREFIX: &str = "CARTWRIGHT";

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
    /// Print all keys: type, default, variable, meaning
    Reference {
        #[arg(long, value_enum, default_value_t = Output::Markdown)]
        output: Output,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// A table per section
    Markdown,
    /// The JSON schema of the settings file
    Json,
}

/// Runs the command of this process's arguments. `S` are the settings of the
/// service beside the common ones ([`Settings`]): both stand at the top level
/// of the file, and every key must belong to one of them.
///
/// `migrate` runs to its end. `serve` builds the service, calls
/// [`Process::started`], awaits [`Process::drained`], and cleans up; what can
/// change meanwhile, it takes from the [`Reloads`].
pub fn run<S, M, MF, ME, R, RF, RE>(spec: Spec, migrate: M, serve: R) -> ExitCode
where
    S: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    M: FnOnce(S) -> MF,
    MF: Future<Output = Result<(), ME>>,
    ME: Into<BoxError>,
    R: FnOnce(Process, S, Reloads<S>) -> RF,
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
    S: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    M: FnOnce(S) -> MF,
    MF: Future<Output = Result<(), ME>>,
    ME: Into<BoxError>,
    R: FnOnce(Process, S, Reloads<S>) -> RF,
    RF: Future<Output = Result<(), RE>> + Send + 'static,
    RE: Into<BoxError> + 'static,
{
    // Fails only if a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match parse(args, &spec) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Some(output) = cli.wants_reference() {
        print_reference::<S>(&spec, output);
        return ExitCode::SUCCESS;
    }
    let (common, own, values) = match load::<S>(cli.config.as_deref()) {
        Ok(all) => all,
        Err(error) => {
            eprintln!("{}: {error}", spec.name);
            return ExitCode::from(USAGE);
        }
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let (watch, reloads) = Watch::new(cli.config, values);
            lifecycle::serve(spec, common, watch, |process| serve(process, own, reloads))
        }
        Command::Migrate => lifecycle::migrate(spec, &common, || migrate(own)),
        Command::Healthcheck => healthcheck::run(spec.name, common.private_listen),
        Command::Config { .. } => {
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

impl Cli {
    fn wants_reference(&self) -> Option<Output> {
        match self.command {
            Some(Command::Config {
                command: ConfigCommand::Reference { output },
            }) => Some(output),
            _ => None,
        }
    }
}

fn print_reference<S: JsonSchema>(spec: &Spec, output: Output) {
    let text = match output {
        Output::Markdown => reference::markdown::<S>(spec.name),
        Output::Json => format!("{:#}\n", reference::schema::<S>(spec.name)),
    };
    // A reader that has seen enough has gone: `… | head`.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub(crate) fn load<S: DeserializeOwned>(
    file: Option<&Path>,
) -> Result<(Settings, S, Values), SettingsError> {
    let (common, own, values) = settings::load_pair::<Settings, S>(file, ENV_PREFIX)?;
    common.check()?;
    Ok((common, own, values))
}
