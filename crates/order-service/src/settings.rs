//! What an operator can set about this service, beside what every process has.

use std::time::Duration;

use listener::tls::{Connector, Files};
use redis_connection::Redis;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::Patience;
use crate::peers;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: edge::ServerSettings,
    pub http: edge::HttpSettings,
    #[serde(default)]
    pub connections: listener::Limits,
    #[serde(default)]
    pub tls: Option<listener::Tls>,
    #[schemars(extend("x-reload" = true))]
    #[serde(default)]
    pub limits: limits::Settings,
    pub database: database::Settings,
    pub redis: redis_connection::Settings,
    pub inventory: rpc::PeerSettings,
    pub payment: rpc::PeerSettings,
    #[serde(default)]
    pub saga: SagaSettings,
    #[serde(default)]
    pub metrics: gauges::Settings,
    #[schemars(extend("x-reload" = true))]
    #[serde(default)]
    pub features: Features,
}

/// What can be switched while the service runs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// `false`: CreateOrder is refused as UNAVAILABLE, with a hint when to try
    /// again. Orders that were accepted go on, and all other calls work.
    pub accept_orders: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            accept_orders: true,
        }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SagaSettings {
    /// How long a claim on an order lasts unless it is renewed: after a crash
    /// its orders stand still for so long.
    pub lease_ms: u64,
    /// How long stock is held for an order that is not confirmed yet. Longer
    /// than `payment_action_s`, so that a customer who takes his time still
    /// gets the goods.
    pub hold_s: u64,
    /// How long a customer has for what a payment needs.
    pub payment_action_s: u64,
    /// How often a payment that waits for its customer is looked at.
    pub payment_poll_ms: u64,
    /// After which an order that is not confirmed is turned back.
    pub forward_s: u64,
    /// After which a person has to look at an order.
    pub attention_s: u64,
    /// The longest wait between two tries.
    pub backoff_max_ms: u64,
}

impl Default for SagaSettings {
    fn default() -> Self {
        Self {
            lease_ms: 4_000,
            hold_s: 20 * 60,
            payment_action_s: 15 * 60,
            payment_poll_ms: 5_000,
            forward_s: 10 * 60,
            attention_s: 14 * 60,
            backoff_max_ms: 30_000,
        }
    }
}

impl Settings {
    /// The sections of the edge.
    pub(crate) fn edge(
        &self,
        auth: &auth::Settings,
        redis: &Redis,
        tls: Option<&Files>,
    ) -> edge::Settings {
        edge::Settings {
            server: self.server.clone(),
            http: self.http.clone(),
            connections: self.connections.clone(),
            tls: tls.cloned(),
            limits: self.limits.clone(),
            auth: auth.clone(),
            redis: redis.clone(),
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        let SagaSettings {
            lease_ms,
            hold_s: _,
            payment_action_s,
            payment_poll_ms,
            forward_s,
            attention_s,
            backoff_max_ms,
        } = self.saga;
        Patience {
            lease: Duration::from_millis(lease_ms),
            action: Duration::from_secs(payment_action_s),
            action_poll: Duration::from_millis(payment_poll_ms),
            forward: Duration::from_secs(forward_s),
            attention: Duration::from_secs(attention_s),
            backoff_max: Duration::from_millis(backoff_max_ms),
        }
    }

    pub(crate) fn peers(&self, tls: Option<Connector>) -> peers::Settings {
        peers::Settings {
            inventory: self.inventory.clone(),
            payment: self.payment.clone(),
            hold: Duration::from_secs(self.saga.hold_s),
            tls,
        }
    }
}
