//! Who is counted, and under which name.

use std::{fmt, net::IpAddr};

use sha2::{Digest, Sha256};

use crate::{
    Quota, Settings,
    bucket::{Take, UNIT},
};

/// What calls are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A customer's own calls; the subject is the customer's id.
    Customer,
    /// The client id of the token, else its subject, or the peer's name.
    Credential,
    /// The client's address, as [`client_address`](crate::Limits::client_address)
    /// gives it. An IPv6 address counts as its /64.
    Address,
    /// The principal together with the idempotency key. Counted in calls: a
    /// dear one may be repeated as often as a cheap one.
    IdempotencyKey,
}

/// The name of a bucket: a hash, so that neither Redis nor this process keeps
/// addresses and ids of customers. It hides no address from somebody who tries
/// all of them; that the bucket is forgotten once it has drained, within
/// seconds, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name([u8; 16]);

impl Dimension {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Credential => "credential",
            Self::Address => "address",
            Self::IdempotencyKey => "idempotency_key",
        }
    }

    fn quota(self, settings: &Settings) -> Quota {
        match self {
            Self::Customer => settings.customer,
            Self::Credential => settings.credential,
            Self::Address => settings.address,
            Self::IdempotencyKey => settings.idempotency_key,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "customer",
            Self::Credential => "credential",
            Self::Address => "client address",
            Self::IdempotencyKey => "idempotency key",
        })
    }
}

impl Name {
    fn of(dimension: Dimension, subject: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(dimension.as_str());
        hash.update([0]);
        match subject.parse() {
            Ok(address) if dimension == Dimension::Address => hash.update(household(address)),
            _ => hash.update(subject),
        }
        let mut name = [0; 16];
        name.copy_from_slice(&hash.finalize()[..16]);
        Self(name)
    }

    /// Two names of one call lie in different slots of a Redis Cluster, which
    /// would refuse the script: limits need a single primary, as events do.
    pub(crate) fn key(self, dimension: Dimension) -> String {
        format!(
            "cartwright:limit:{}:{}",
            dimension.as_str(),
            hex::encode(self.0)
        )
    }
}

/// What the call takes from each of its subjects, once; without those that
/// have no limit.
pub(crate) fn takes(settings: &Settings, subjects: &[(Dimension, &str)], cost: u32) -> Vec<Take> {
    let mut takes: Vec<Take> = Vec::with_capacity(subjects.len());
    for &(dimension, subject) in subjects {
        let quota = dimension.quota(settings);
        let units = match dimension {
            Dimension::IdempotencyKey => cost.min(1),
            _ => cost,
        };
        if quota.per_second == 0 || units == 0 {
            continue;
        }
        let name = Name::of(dimension, subject);
        if takes.iter().any(|take| take.name == name) {
            continue;
        }
        takes.push(Take {
            dimension,
            name,
            per_second: quota.per_second.into(),
            burst: u64::from(quota.burst()) * UNIT,
            amount: u64::from(units.min(quota.burst())) * UNIT,
        });
    }
    takes
}

fn household(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => (address.to_bits() >> 64 << 64).to_be_bytes(),
    }
}
