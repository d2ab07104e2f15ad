//! The command line as a whole.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    command::{
        audit, audit_log, config, demo, keys, login, order, payment, replay, saga, stock, token,
        trace,
    },
    exit, input,
    output::Format,
    shop::Addresses,
};

/// Orders, money and stock of a Cartwright shop, from the command line.
#[derive(Debug, Parser)]
#[command(name = "cartwright", version, after_help = exit::HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Where order-service is.
    #[arg(
        long,
        global = true,
        env = "CARTWRIGHT_ORDER_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:50051",
        help_heading = "Global options"
    )]
    pub order_url: String,
    /// Where payment-service is.
    #[arg(
        long,
        global = true,
        env = "CARTWRIGHT_PAYMENT_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:50052",
        help_heading = "Global options"
    )]
    pub payment_url: String,
    /// Where inventory-service is.
    #[arg(
        long,
        global = true,
        env = "CARTWRIGHT_INVENTORY_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:50053",
        help_heading = "Global options"
    )]
    pub inventory_url: String,
    /// How long one call may take, such as 500ms, 10s or 2m [default: 10s; import, replay
    /// and payment reconcile: 60s].
    #[arg(long, global = true, env = "CARTWRIGHT_TIMEOUT", value_name = "TIME",
        value_parser = input::duration, help_heading = "Global options")]
    pub timeout: Option<Duration>,
    /// A file with the token to show, instead of what `cartwright login` saved;
    /// the token itself may stand in the variable CARTWRIGHT_TOKEN.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub token_file: Option<PathBuf>,
    /// The certificates (PEM) that the services' must come from, for https://.
    #[arg(
        long,
        global = true,
        env = "CARTWRIGHT_CA",
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub ca: Option<PathBuf>,
    /// Tables for people, JSON for machines.
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value = "table",
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub output: Format,
}

impl Global {
    pub fn addresses(&self, timeout: Duration) -> Addresses {
        Addresses {
            order_url: self.order_url.clone(),
            payment_url: self.payment_url.clone(),
            inventory_url: self.inventory_url.clone(),
            ca: self.ca.clone(),
            timeout: self.timeout.unwrap_or(timeout),
        }
    }
}

/// The key under which a change is carried out once.
#[derive(Debug, Clone, Args)]
pub struct KeyArg {
    /// The change is carried out once for each key; repeat the key after an
    /// unknown outcome [default: a new one].
    #[arg(long, value_name = "KEY", value_parser = input::key)]
    pub idempotency_key: Option<String>,
}

impl KeyArg {
    pub fn or_new(&self) -> String {
        self.idempotency_key
            .clone()
            .unwrap_or_else(|| format!("cli:{}", uuid::Uuid::now_v7()))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Place, see and change orders.
    #[command(subcommand)]
    Order(order::Command),
    /// See payments, take money and give it back.
    #[command(subcommand)]
    Payment(payment::Command),
    /// See and change stock, items and locations.
    #[command(subcommand)]
    Stock(stock::Command),
    /// Check the invariants of all three services; exit code 1 on any violation.
    Audit(audit::Audit),
    /// List who did what, newest first.
    AuditLog(audit_log::AuditLog),
    /// See and unblock the work behind orders.
    #[command(subcommand)]
    Saga(saga::Command),
    /// Draw what was done for an order, and when: by which service, which
    /// statement, which call. From the trace store that `make up` runs.
    Trace(trace::Trace),
    /// Send a file of real sales through the shop and account for every line.
    Replay(replay::Replay),
    /// A confirmed order, a declined card, an empty shelf, and a cancel after
    /// the money was taken; each with its timeline. Uses items of its own.
    Demo(demo::Demo),
    /// Be somebody from now on: saves who, and a key that mints a short-lived
    /// token for each command. For shops that trust that key, as on a laptop.
    Login(login::Login),
    /// Print a short-lived token, for curl and other programs.
    Token(token::Token),
    /// Make the keys that sign tokens on a laptop.
    #[command(subcommand)]
    Keys(keys::Command),
    /// See what the services can be told.
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script, for example: cartwright completions bash.
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}
