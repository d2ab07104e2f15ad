use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use http::HeaderMap;
use parking_lot::Mutex;
use redis_connection::Redis;
use tracing::warn;

use crate::table::Table;
use crate::{
    Dimension, Exceeded, Settings, address, bucket::Take, metrics, shared::Shared, subject,
};

/// Counts calls and refuses what is too much. Clones count together.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    settings: ArcSwap<Settings>,
    shared: Shared,
    /// Counts while Redis does not.
    alone: Mutex<Table>,
    /// Counts addresses before it is known who calls.
    door: Mutex<Table>,
    started: Instant,
    warned_of_proxy: AtomicBool,
}

/// A call that came in at the door and counts for its address.
#[must_use = "give it back once the caller turns out to be staff or a service"]
pub struct Entry {
    limits: Limits,
    take: Option<Take>,
}

impl Limits {
    /// Connects to Redis in the background: must be called on the runtime, and
    /// never fails. Until the first connection, as in any outage, calls are
    /// counted in this process.
    pub fn new(redis: impl Into<Redis>, settings: Settings) -> Self {
        let inner = Arc::new(Inner {
            settings: ArcSwap::from_pointee(settings),
            shared: Shared::new(redis.into()),
            alone: Mutex::default(),
            door: Mutex::default(),
            started: Instant::now(),
            warned_of_proxy: AtomicBool::new(false),
        });
        metrics::watch(Arc::downgrade(&inner), |inner| inner.shared.is_up());
        Self(inner)
    }

    /// The settings hold from the next call on. What has been used up stays
    /// so, up to the new burst.
    pub fn reload(&self, settings: Settings) {
        self.0.settings.store(Arc::new(settings));
        self.0.warned_of_proxy.store(false, Ordering::Relaxed);
    }

    /// Whose request it is: the peer, or whom trusted proxies name. Not for
    /// proof of anything.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let settings = self.0.settings.load();
        let peer = peer.to_canonical();
        if is_private(peer)
            && address::is_forwarded(headers, settings.forwarded_by)
            && !address::is_trusted(peer, &settings)
            && !self.0.warned_of_proxy.swap(true, Ordering::Relaxed)
        {
            warn!(
                proxy = %peer,
                "a proxy that is not in limits.trusted_proxies: all its clients count as one"
            );
        }
        address::client(peer, headers, &settings)
    }

    /// Counts one unit for an address before anything is known of the caller:
    /// cheap, in this process alone. It stays counted, so that whoever comes
    /// without a good token is soon refused here.
    pub fn enter(&self, address: IpAddr) -> Result<Entry, Exceeded> {
        let settings = self.0.settings.load();
        let address = address.to_string();
        let takes = subject::takes(&settings, &[(Dimension::Address, &address)], 1);
        self.0.door.lock().take(&takes, self.now_us())?;
        Ok(Entry {
            limits: self.clone(),
            take: takes.first().copied(),
        })
    }

    /// Takes `cost` from every subject, or nothing if one has too little left.
    /// One round trip to Redis, none while it is away.
    ///
    /// A subject that is named twice counts once. Name the address for
    /// customers only: a shop's back end has but one.
    pub async fn check(&self, subjects: &[(Dimension, &str)], cost: u32) -> Result<(), Exceeded> {
        let takes = subject::takes(&self.0.settings.load(), subjects, cost);
        if takes.is_empty() {
            return Ok(());
        }
        match self.0.shared.take(&takes).await {
            Some(answer) => answer,
            None => self.0.alone.lock().take(&takes, self.now_us()),
        }
    }

    /// False while this process counts alone.
    pub fn is_shared(&self) -> bool {
        self.0.shared.is_up()
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Entry {
    /// The call shall not count for its address: its caller is staff or a
    /// service, whom [`Limits::check`] counts by credential.
    pub fn give_back(self) {
        if let Some(take) = self.take {
            let now_us = self.limits.now_us();
            self.limits.0.door.lock().give_back(&take, now_us);
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("settings", &self.0.settings.load())
            .field("is_shared", &self.is_shared())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}

/// Strangers on the internet cannot have such an address.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}
