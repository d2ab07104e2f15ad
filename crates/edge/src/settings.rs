//! What an operator can set about the edge of a service.

use std::{net::SocketAddr, time::Duration};

use redis_connection::Redis;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// All sections that the edge reads, put together by the service.
#[derive(Debug, Clone)]
pub struct Settings {
    pub server: ServerSettings,
    pub http: HttpSettings,
    pub connections: listener::Limits,
    /// None: plain text.
    pub tls: Option<listener::tls::Files>,
    pub limits: limits::Settings,
    pub auth: auth::Settings,
    /// Where limits are counted over all replicas.
    pub redis: Redis,
}

/// Settings of the gRPC server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen for gRPC and gRPC-Web; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Signs page tokens; equal on all replicas.
    #[schemars(with = "String")]
    pub page_token_secret: SecretString,
    /// Calls that run at the same time.
    #[serde(default = "max_concurrent_requests")]
    pub max_concurrent_requests: usize,
    /// Calls that wait for a place; one more is refused at once.
    #[serde(default = "max_waiting_requests")]
    pub max_waiting_requests: usize,
    /// Calls of others than services are let in as long as they take no more
    /// than this beyond what they take when there is little to do; more of them
    /// are refused at once.
    #[serde(default = "max_queueing_ms")]
    pub max_queueing_ms: u64,
    /// For calls that bring no deadline.
    #[serde(default = "default_deadline_ms")]
    pub default_deadline_ms: u64,
    /// No call may wait longer than this, whatever it brings.
    #[serde(default = "max_deadline_ms")]
    pub max_deadline_ms: u64,
    /// Within this the message of a call must have arrived.
    #[serde(default = "body_timeout_ms")]
    pub body_timeout_ms: u64,
    /// Tells clients about services and messages, to everybody.
    #[serde(default = "reflection")]
    pub reflection: bool,
}

fn max_concurrent_requests() -> usize {
    1024
}

fn max_waiting_requests() -> usize {
    2048
}

fn max_queueing_ms() -> u64 {
    500
}

fn default_deadline_ms() -> u64 {
    10_000
}

fn max_deadline_ms() -> u64 {
    120_000
}

fn body_timeout_ms() -> u64 {
    10_000
}

fn reflection() -> bool {
    true
}

impl ServerSettings {
    /// The defaults, at an address.
    pub fn at(listen: SocketAddr, page_token_secret: SecretString) -> Self {
        Self {
            listen,
            page_token_secret,
            max_concurrent_requests: max_concurrent_requests(),
            max_waiting_requests: max_waiting_requests(),
            max_queueing_ms: max_queueing_ms(),
            default_deadline_ms: default_deadline_ms(),
            max_deadline_ms: max_deadline_ms(),
            body_timeout_ms: body_timeout_ms(),
            reflection: reflection(),
        }
    }

    pub(crate) fn max_queueing(&self) -> Duration {
        Duration::from_millis(self.max_queueing_ms)
    }

    pub(crate) fn default_deadline(&self) -> Duration {
        Duration::from_millis(self.default_deadline_ms)
    }

    pub(crate) fn max_deadline(&self) -> Duration {
        Duration::from_millis(self.max_deadline_ms)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }
}

/// Settings of REST, and of browsers' access.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Where to listen for REST; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which pages in browsers may call, by REST and by gRPC-Web alike.
    #[serde(default)]
    pub cors: Cors,
    #[serde(default)]
    pub rest: rest::Settings,
}

impl HttpSettings {
    /// The defaults, at an address.
    pub fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            cors: Cors::default(),
            rest: rest::Settings::default(),
        }
    }
}

/// Cross-origin requests of browsers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins such as `https://shop.example`, or `*` for all. Empty: no page
    /// of another origin may call.
    pub allowed_origins: Vec<String>,
}
