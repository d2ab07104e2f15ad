//! The endpoints of a peer, and which of them gets a call.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;

use super::{
    Tried,
    connection::Link,
    endpoint::Endpoint,
    flight::Flight,
    keeper,
    place::{Place, Resolved},
    resolve::{Known, Names},
};
use crate::metrics;

pub(super) struct Set {
    places: Mutex<Option<Vec<Known>>>,
    names: Names,
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
    /// Told when an endpoint has come or gone.
    changes: watch::Sender<()>,
    is_started: AtomicBool,
    /// How often no name at all could be looked up.
    failures: AtomicU64,
    last_failure: Mutex<Option<Arc<io::Error>>>,
    wanted: Notify,
    stop: CancellationToken,
}

/// What had failed before a call began.
struct Before {
    names: u64,
    connections: HashMap<SocketAddr, u64>,
}

impl Set {
    pub(super) fn new(places: Vec<Place>, names: Names) -> Self {
        let places = places.into_iter().map(Known::nothing_of).collect();
        Self {
            places: Mutex::new(Some(places)),
            names,
            endpoints: Mutex::default(),
            changes: watch::Sender::new(()),
            is_started: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            last_failure: Mutex::default(),
            wanted: Notify::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Ends all that is done in the background when it is dropped.
    pub(super) fn stop(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Begins to look up and to connect, once.
    pub(super) fn start(set: &Arc<Self>) {
        if set.is_started.swap(true, Ordering::Relaxed) {
            return;
        }
        let places = set.places.lock().take().unwrap_or_default();
        let (set, stop) = (set.clone(), set.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(set.follow(places)).await });
    }

    /// Looks all names up, for ever, if there is any that may change.
    async fn follow(self: &Arc<Self>, mut places: Vec<Known>) {
        loop {
            for place in &mut places {
                if let Err(error) = place.refresh(&self.names).await {
                    tracing::debug!(%error, "a peer's name cannot be looked up");
                    *self.last_failure.lock() = Some(Arc::new(error));
                }
            }
            let found: Vec<Resolved> = places.iter().flat_map(Known::endpoints).collect();
            match found.is_empty() {
                true => _ = self.failures.fetch_add(1, Ordering::Relaxed),
                false => self.replace(found),
            }
            self.changes.send_replace(());
            if places.iter().all(Known::is_fixed) {
                return;
            }
            let pause = self.names.interval.mul_f64(rand::random_range(0.9..1.1));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    /// What stays keeps its connection. What goes gets no more calls, and its
    /// connection ends with the last of those it has.
    fn replace(self: &Arc<Self>, found: Vec<Resolved>) {
        let mut endpoints = self.endpoints.lock();
        let is = |endpoint: &Endpoint, (address, place): &Resolved| {
            endpoint.address == *address && endpoint.place.authority == place.authority
        };
        endpoints.retain(|endpoint| {
            let stays = found.iter().any(|found| is(endpoint, found));
            if !stays {
                endpoint.removed.cancel();
            }
            stays
        });
        for resolved in found {
            if endpoints.iter().any(|endpoint| is(endpoint, &resolved)) {
                continue;
            }
            let (address, place) = resolved;
            let endpoint = Arc::new(Endpoint::new(address, place, self.stop.child_token()));
            tokio::spawn(keeper::keep(endpoint.clone(), self.clone()));
            endpoints.push(endpoint);
        }
    }

    /// Tells those who wait that `endpoint` is connected, or is not.
    pub(super) fn changed(&self, endpoint: &Endpoint) {
        let endpoints = self.endpoints.lock();
        let siblings = endpoints.iter();
        let siblings = siblings.filter(|it| it.place.host == endpoint.place.host);
        let connected = siblings.filter(|it| it.link().is_some()).count();
        metrics::endpoints(&endpoint.place.host, connected);
        drop(endpoints);
        self.changes.send_replace(());
    }

    /// A place on the way to an endpoint. Where none is connected, waits until
    /// one is, or until each has failed once more.
    pub(super) async fn flight(
        &self,
        tried: &Tried,
        until: Option<Instant>,
    ) -> Result<Flight, Status> {
        if let Some((endpoint, link)) = self.pick(tried) {
            return Ok(Flight::begin(endpoint, link, until));
        }
        let mut changes = self.changes.subscribe();
        let before = self.before();
        self.want();
        loop {
            if let Some((endpoint, link)) = self.pick(tried) {
                return Ok(Flight::begin(endpoint, link, until));
            }
            if let Some(failed) = self.failed_since(&before) {
                return Err(failed);
            }
            if changes.changed().await.is_err() {
                return Err(Status::unavailable("the channel is closed"));
            }
        }
    }

    /// The less busy of two that are drawn by lot. One that was tried already,
    /// or from which nothing is heard, only if there is no other.
    fn pick(&self, tried: &Tried) -> Option<(Arc<Endpoint>, Arc<Link>)> {
        let endpoints = self.endpoints.lock();
        let linked = endpoints.iter().filter_map(|endpoint| {
            let link = endpoint.link()?;
            let rank = (tried.has(endpoint.address), endpoint.is_silent(&link));
            Some((rank, endpoint, link))
        });
        let mut linked: Vec<_> = linked.collect();
        let best = linked.iter().map(|(rank, ..)| *rank).min()?;
        linked.retain(|(rank, ..)| *rank == best);
        let mut draw = || linked.swap_remove(rand::random_range(0..linked.len()));
        let (_, one, link) = draw();
        if linked.is_empty() {
            return Some((one.clone(), link));
        }
        let (_, other, other_link) = linked.swap_remove(rand::random_range(0..linked.len()));
        match one.in_flight() <= other.in_flight() {
            true => Some((one.clone(), link)),
            false => Some((other.clone(), other_link)),
        }
    }

    fn before(&self) -> Before {
        let endpoints = self.endpoints.lock();
        let connections = endpoints.iter();
        Before {
            names: self.failures.load(Ordering::Relaxed),
            connections: connections
                .map(|endpoint| (endpoint.address, endpoint.failures()))
                .collect(),
        }
    }

    fn failed_since(&self, before: &Before) -> Option<Status> {
        let endpoints = self.endpoints.lock();
        let (has_failed, failure) = match endpoints.first() {
            None => {
                let failures = self.failures.load(Ordering::Relaxed);
                (failures > before.names, self.last_failure.lock().clone())
            }
            Some(first) => {
                let has_failed = |endpoint: &Arc<Endpoint>| {
                    let before = before.connections.get(&endpoint.address);
                    endpoint.failures() > before.copied().unwrap_or(0)
                };
                (endpoints.iter().all(has_failed), first.last_failure())
            }
        };
        has_failed.then(|| unreachable_peer(failure))
    }

    /// A call waits: nobody pauses now.
    fn want(&self) {
        let endpoints = self.endpoints.lock();
        match endpoints.is_empty() {
            true => self.wanted.notify_one(),
            false => endpoints.iter().for_each(|it| it.wanted.notify_one()),
        }
    }
}

fn unreachable_peer(failure: Option<Arc<io::Error>>) -> Status {
    let Some(error) = failure else {
        return Status::unavailable("no endpoint of the peer can be reached");
    };
    let mut status =
        Status::unavailable(format!("no endpoint of the peer can be reached: {error}"));
    status.set_source(error);
    status
}
