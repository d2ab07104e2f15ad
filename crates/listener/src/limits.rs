//! The section `connections` of the settings.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Error;

/// hyper reads at least this much at once.
const HEADER_BYTES_MIN: u32 = 8 * 1024;

/// As good as never, and a clock can still count to it.
const TIME_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// What one listener gives to connections.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at the same time; one more is closed at once.
    pub max_connections: usize,
    /// Connections of one address (of one /64 net with IPv6) at the same time;
    /// one more is closed at once. Proxies in front of the service are one
    /// address for all their clients.
    pub max_connections_per_address: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout_ms: u64,
    /// How long the head of a request may take, and a new connection until
    /// it says what it wants.
    pub header_timeout_ms: u64,
    /// A connection without an open request is closed gracefully after this.
    /// Longer than any proxy in front keeps its connections.
    pub idle_timeout_ms: u64,
    /// A request body that brings nothing for this long has failed, and a
    /// client that takes nothing of its answers for this long is cut off.
    pub stall_timeout_ms: u64,
    /// Bytes that the headers of a request may have together, at least 8192.
    pub max_header_bytes: u32,
    /// Open requests on one HTTP/2 connection.
    pub max_streams_per_connection: u32,
    /// A connection is closed gracefully at about this age (± 10 %), so that
    /// clients find new replicas.
    pub max_connection_age_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            handshake_timeout_ms: 5_000,
            header_timeout_ms: 10_000,
            idle_timeout_ms: 300_000,
            stall_timeout_ms: 30_000,
            max_header_bytes: 16 * 1024,
            max_streams_per_connection: 1024,
            max_connection_age_s: 1800,
        }
    }
}

impl Limits {
    /// # Errors
    /// `Limit`, naming the key, for a limit that would let nothing through.
    pub fn check(&self) -> Result<(), Error> {
        let at_least_one = [
            ("max_connections", self.max_connections as u64),
            (
                "max_connections_per_address",
                self.max_connections_per_address as u64,
            ),
            ("handshake_timeout_ms", self.handshake_timeout_ms),
            ("header_timeout_ms", self.header_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("stall_timeout_ms", self.stall_timeout_ms),
            (
                "max_streams_per_connection",
                u64::from(self.max_streams_per_connection),
            ),
            ("max_connection_age_s", self.max_connection_age_s),
        ];
        for (key, got) in at_least_one {
            at_least(key, got, 1)?;
        }
        let bytes = u64::from(self.max_header_bytes);
        at_least("max_header_bytes", bytes, u64::from(HEADER_BYTES_MIN))
    }

    pub(crate) fn times(&self) -> Times {
        let ms = |ms| Duration::from_millis(ms).min(TIME_MAX);
        Times {
            handshake: ms(self.handshake_timeout_ms),
            header: ms(self.header_timeout_ms),
            idle: ms(self.idle_timeout_ms),
            stall: ms(self.stall_timeout_ms),
            age: Duration::from_secs(self.max_connection_age_s).min(TIME_MAX),
        }
    }
}

fn at_least(key: &'static str, got: u64, least: u64) -> Result<(), Error> {
    match got >= least {
        true => Ok(()),
        false => Err(Error::Limit { key, least, got }),
    }
}

/// The limits that are times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) handshake: Duration,
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) stall: Duration,
    pub(crate) age: Duration,
}

impl Times {
    /// Nothing can be overdue sooner than this after it was not.
    pub(crate) fn shortest(&self) -> Duration {
        self.header.min(self.idle).min(self.stall)
    }
}
