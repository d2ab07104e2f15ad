//! The section `limits`.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much one may ask of the shop before a call is answered with
/// `RATE_LIMITED`. Counted in units: a read costs 1, CreateOrder 10, an audit
/// 50; each method's cost is in the contract. What holds for one customer or
/// address holds over all replicas and services that share a Redis; while
/// Redis is away, each process counts by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-reload" = true))]
pub struct Settings {
    /// What one customer may ask with own tokens. By default 20 units a second
    /// and 200 at once: a page that reads 30 things at a time and two orders a
    /// second are no trouble for a person, a script meets its end soon.
    pub customer: Quota,
    /// What one credential may ask: the client that a token was issued to,
    /// else its subject, or the peer service. A shop's back end speaks for all
    /// customers with one of them, so by default it is 5,000 units a second,
    /// which is 500 orders or 5,000 reads, and 20,000 at once; it stops a
    /// client that has gone wild, not a good day. Raise it with the machines.
    pub credential: Quota,
    /// What one client address may ask: every call while nobody knows yet who
    /// calls, then the calls of customers by their cost. Staff and services
    /// are counted by credential alone, since a back end has one address. By
    /// default 200 units a second and 2,000 at once, for the hundreds of
    /// shoppers behind one office or phone network. Addresses of IPv6 count
    /// per /64, which is what one household gets.
    pub address: Quota,
    /// How often one idempotency key may be used, in calls of whatever cost.
    /// By default 5 a second and 20 at once: an honest client repeats a call a
    /// few times and backs off, a retry loop without a pause is stopped.
    pub idempotency_key: Quota,
    /// The networks of the proxies and load balancers in front, such as
    /// `10.0.0.0/8`. Only what they say about a client's address is believed.
    /// Without them all who come through one proxy share its address and so
    /// its quota.
    pub trusted_proxies: Vec<Network>,
    /// The header in which trusted proxies name the client. A proxy passes the
    /// other one on as it came from the client, so only this one is read.
    pub forwarded_by: ForwardedBy,
}

/// A bucket of `burst` units that drains by `per_second`. A call that costs
/// more than the burst needs an empty bucket, and fills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Units a second over time. 0 switches this limit off.
    pub per_second: u32,
    /// Units at once after a pause. 0 or absent: those of ten seconds.
    #[serde(default)]
    pub burst: u32,
}

/// The header that trusted proxies write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedBy {
    /// `X-Forwarded-For: 203.0.113.7, 10.0.0.2`
    #[default]
    XForwardedFor,
    /// RFC 7239: `Forwarded: for=203.0.113.7, for="[2001:db8::1]:4711"`
    Forwarded,
}

/// A network such as `10.0.0.0/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

#[derive(Debug, thiserror::Error)]
#[error("expected a network such as 10.0.0.0/8 or 2001:db8::/32")]
pub struct ParseNetworkError;

impl Default for Settings {
    fn default() -> Self {
        Self {
            customer: Quota::new(20, 200),
            credential: Quota::new(5_000, 20_000),
            address: Quota::new(200, 2_000),
            idempotency_key: Quota::new(5, 20),
            trusted_proxies: Vec::new(),
            forwarded_by: ForwardedBy::default(),
        }
    }
}

impl Quota {
    pub const OFF: Self = Self::new(0, 0);

    pub const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// The burst, also when it is not set.
    pub(crate) fn burst(self) -> u32 {
        match self.burst {
            0 => self.per_second.saturating_mul(10),
            burst => burst,
        }
    }
}

impl Network {
    /// `address` is canonical: no IPv4 within IPv6.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let text = text.trim();
        let single = || text.parse().map(|address: IpAddr| IpNet::from(address));
        text.parse()
            .or_else(|_| single())
            .map(Self)
            .map_err(|_| ParseNetworkError)
    }
}

impl TryFrom<String> for Network {
    type Error = ParseNetworkError;

    fn try_from(text: String) -> Result<Self, ParseNetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
