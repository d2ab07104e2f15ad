//! One address that answers for a peer, and what is known of it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{connection::Link, place::Place};
use crate::metrics;

/// Errors in a row, after which an endpoint is left out.
const ERRORS_MAX: u32 = 3;
/// A peer that has calls of ours and says nothing for this long is asked only
/// if all others are as silent.
pub(super) const SILENCE: Duration = Duration::from_secs(1);

pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) place: Arc<Place>,
    link: Mutex<Option<Arc<Link>>>,
    /// Since when there is a call in flight.
    busy_since: Mutex<Instant>,
    errors: AtomicU32,
    /// In a row, without an answer between.
    ejections: AtomicU32,
    /// Connections that could not be made, ever.
    failures: AtomicU64,
    last_failure: Mutex<Option<Arc<io::Error>>>,
    in_flight: AtomicUsize,
    /// Somebody would like to have a connection now.
    pub(super) wanted: Notify,
    /// The connection is to be given up.
    out: Notify,
    pub(super) removed: CancellationToken,
}

impl Endpoint {
    pub(super) fn new(address: SocketAddr, place: Arc<Place>, removed: CancellationToken) -> Self {
        Self {
            address,
            place,
            link: Mutex::default(),
            busy_since: Mutex::new(Instant::now()),
            errors: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            wanted: Notify::new(),
            out: Notify::new(),
            removed,
        }
    }

    pub(super) fn connected(&self, link: Link) {
        *self.link.lock() = Some(Arc::new(link));
    }

    /// Calls that are on their way go on: a connection ends with its last.
    pub(super) fn disconnected(&self) {
        self.link.lock().take();
    }

    pub(super) fn not_connected(&self, error: io::Error) {
        *self.last_failure.lock() = Some(Arc::new(error));
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn last_failure(&self) -> Option<Arc<io::Error>> {
        self.last_failure.lock().clone()
    }

    pub(super) fn ejections(&self) -> u32 {
        self.ejections.load(Ordering::Relaxed)
    }

    /// None where no call can be sent now.
    pub(super) fn link(&self) -> Option<Arc<Link>> {
        let link = self.link.lock();
        link.as_ref().filter(|link| link.is_open()).cloned()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether calls wait there and nothing at all has come for a while.
    pub(super) fn is_silent(&self, link: &Link) -> bool {
        let waiting_since = link.last_heard().max(*self.busy_since.lock());
        self.in_flight() > 0 && waiting_since.elapsed() > SILENCE
    }

    pub(super) fn takes_off(&self) {
        if self.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            *self.busy_since.lock() = Instant::now();
        }
    }

    pub(super) fn lands(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.errors.store(0, Ordering::Relaxed);
        self.ejections.store(0, Ordering::Relaxed);
    }

    /// After so many in a row the connection is given up, and there is a pause
    /// before the next.
    pub(super) fn erred(&self, link: &Arc<Link>) {
        if !link.is_open() && link.counted.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.errors.fetch_add(1, Ordering::Relaxed) + 1 < ERRORS_MAX {
            return;
        }
        self.errors.store(0, Ordering::Relaxed);
        self.ejections.fetch_add(1, Ordering::Relaxed);
        let mut current = self.link.lock();
        if current.as_ref().is_some_and(|it| Arc::ptr_eq(it, link)) {
            current.take();
            self.out.notify_one();
        }
        metrics::ejected(&self.place.host);
        tracing::info!(
            server.address = self.place.host,
            server.port = self.place.port,
            "an endpoint of a peer is left out for a while"
        );
    }

    /// Resolves when the connection was given up.
    pub(super) async fn given_up(&self) {
        loop {
            self.out.notified().await;
            if self.link.lock().is_none() {
                return;
            }
        }
    }
}
