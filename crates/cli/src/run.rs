//! From the command line to the command.

use std::time::Duration;

use crate::{
    args::{Cli, Command},
    command,
    credentials::Credentials,
    failure::Failure,
    output::Output,
    shop::Shop,
};

const TIMEOUT: Duration = Duration::from_secs(10);
/// For what sends thousands of calls at once: orders of a thousand lines wait
/// for each other.
const TIMEOUT_BULK: Duration = Duration::from_secs(60);

/// # Errors
/// Whatever keeps the command from being done.
pub async fn run(cli: Cli, mut usage: clap::Command) -> Result<(), Failure> {
    let output = Output {
        format: cli.global.output,
    };
    let bulk = matches!(cli.command, Command::Replay(_)) || is_import(&cli.command);
    let bulk = bulk || is_reconcile(&cli.command);
    let timeout = if bulk { TIMEOUT_BULK } else { TIMEOUT };
    let addresses = cli.global.addresses(timeout);
    let shop = || {
        let credentials = Credentials::find(cli.global.token_file.as_deref())?;
        Shop::new(&addresses, credentials.show()?)
    };
    match cli.command {
        Command::Order(command) => command::order::run(command, &shop()?, output).await,
        Command::Payment(command) => command::payment::run(command, &shop()?, output).await,
        Command::Stock(command) => command::stock::run(command, &shop()?, output).await,
        Command::Audit(audit) => command::audit::run(&audit, &shop()?, output).await,
        Command::AuditLog(log) => command::audit_log::run(&log, &shop()?, output).await,
        Command::Saga(command) => command::saga::run(command, &shop()?, output).await,
        Command::Trace(trace) => command::trace::run(&trace, addresses.timeout, output).await,
        Command::Replay(replay) => command::replay::run(&replay, &shop()?, output).await,
        Command::Demo(demo) => command::demo::run(&demo, &shop()?, output).await,
        Command::Login(login) => command::login::run(&login, output),
        Command::Token(token) => command::token::run(&token, output),
        Command::Keys(keys) => command::keys::run(&keys, output),
        Command::Config(config) => command::config::run(&config, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut usage, "cartwright", &mut script);
            output.text(&String::from_utf8_lossy(&script))
        }
    }
}

/// A page of it asks the provider about a hundred payments.
fn is_reconcile(command: &Command) -> bool {
    use command::payment::Command as Payment;
    matches!(command, Command::Payment(Payment::Reconcile(_)))
}

fn is_import(command: &Command) -> bool {
    use command::stock::Command as Stock;
    matches!(command, Command::Stock(Stock::Import(_)))
}
