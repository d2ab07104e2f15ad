//! What an operator can set about a database.

use std::str::FromStr;

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

/// Times are short because they are the limit of a queue: a caller that is
/// refused soon can go elsewhere, one that waits 30 s has given up already.
///
/// Address and password may change while the process runs: connections are
/// then opened by the new ones, and older ones are not used again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `postgres://user:password@host:port/database`; `sslmode` and
    /// `sslrootcert` are honoured.
    #[schemars(with = "String", extend("writeOnly" = true, "x-reload" = true))]
    pub url: SecretString,
    /// Takes the place of the password in the URL, so that the URL need not be
    /// a secret.
    #[schemars(with = "Option<String>", extend("x-reload" = true))]
    #[serde(default)]
    pub password: Option<SecretString>,
    /// How many connections one replica opens at most.
    #[serde(default = "default_max_connections")]
    pub max_connections: u32,
    /// How long a caller waits for a free connection, opening one included.
    #[serde(default = "default_acquire_timeout_ms")]
    pub acquire_timeout_ms: u64,
    /// Below the deadline of the calls, since a query whose caller has gone
    /// keeps its connection until it ends.
    #[serde(default = "default_statement_timeout_ms")]
    pub statement_timeout_ms: u64,
    /// How long a statement waits for a lock.
    #[serde(default = "default_lock_timeout_ms")]
    pub lock_timeout_ms: u64,
    /// After which the server ends a transaction that nobody goes on with.
    #[serde(default = "default_idle_in_transaction_timeout_ms")]
    pub idle_in_transaction_timeout_ms: u64,
    /// How long one migration waits for a table before it lets the traffic
    /// pass that queues behind it, and tries again.
    #[serde(default = "default_migration_lock_timeout_ms")]
    pub migration_lock_timeout_ms: u64,
}

fn default_max_connections() -> u32 {
    10
}

fn default_acquire_timeout_ms() -> u64 {
    500
}

fn default_statement_timeout_ms() -> u64 {
    2_000
}

fn default_lock_timeout_ms() -> u64 {
    500
}

fn default_idle_in_transaction_timeout_ms() -> u64 {
    5_000
}

fn default_migration_lock_timeout_ms() -> u64 {
    2_000
}

impl Settings {
    /// The defaults, for a database at `url`.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            password: None,
            max_connections: default_max_connections(),
            acquire_timeout_ms: default_acquire_timeout_ms(),
            statement_timeout_ms: default_statement_timeout_ms(),
            lock_timeout_ms: default_lock_timeout_ms(),
            idle_in_transaction_timeout_ms: default_idle_in_transaction_timeout_ms(),
            migration_lock_timeout_ms: default_migration_lock_timeout_ms(),
        }
    }

    /// Options of a pooled connection, limits included. They travel with the
    /// connection rather than with the role, so that a restored database or a
    /// new role cannot lack them.
    pub(crate) fn pooled(&self, application_name: &str) -> sqlx::Result<PgConnectOptions> {
        let options = self.target()?.application_name(application_name).options([
            ("statement_timeout", self.statement_timeout_ms),
            ("lock_timeout", self.lock_timeout_ms),
            (
                "idle_in_transaction_session_timeout",
                self.idle_in_transaction_timeout_ms,
            ),
        ]);
        Ok(options)
    }

    /// Options of the one connection that migrates: statements may take long,
    /// waiting for a lock may not.
    pub(crate) fn migrating(&self) -> sqlx::Result<PgConnectOptions> {
        let options = self.target()?.application_name("migrate").options([
            ("statement_timeout", 0),
            ("lock_timeout", self.migration_lock_timeout_ms),
        ]);
        Ok(options)
    }

    fn target(&self) -> sqlx::Result<PgConnectOptions> {
        let options = PgConnectOptions::from_str(self.url.expose_secret())?;
        Ok(match &self.password {
            Some(password) => options.password(password.expose_secret()),
            None => options,
        })
    }
}
