//! The one state behind all endpoints.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Check, Latch, Report, probe::Probe};

/// Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    /// Latches by name; true once released.
    latches: Mutex<BTreeMap<&'static str, bool>>,
    probes: Mutex<Vec<Arc<Probe>>>,
    draining: CancellationToken,
    closed: CancellationToken,
    changed: watch::Sender<()>,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

impl Health {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            latches: Mutex::default(),
            probes: Mutex::default(),
            draining: CancellationToken::new(),
            closed: CancellationToken::new(),
            changed: watch::channel(()).0,
        }))
    }

    /// Take all latches before the listener starts: with none the process
    /// counts as started. A name that was released before stays released.
    pub fn latch(&self, name: &'static str) -> Latch {
        lock(&self.0.latches).entry(name).or_insert(false);
        self.0.changed.send_replace(());
        let health = self.clone();
        Latch { health, name }
    }

    pub(crate) fn release(&self, name: &'static str) {
        lock(&self.0.latches).insert(name, true);
        self.0.changed.send_replace(());
        tracing::debug!(latch = name, "released");
    }

    /// Adds a question that must be answered with `Ok` for the process to be
    /// ready: is the database there, is its schema current? The text of the
    /// error is shown on the private listener. Asked at most once a second,
    /// and given up after one.
    pub fn probe<F, Fut, E>(&self, name: &'static str, ask: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        lock(&self.0.probes).push(Arc::new(Probe::new(name, ask)));
        self.0.changed.send_replace(());
    }

    /// From now on not ready, for good.
    pub fn drain(&self) {
        self.0.draining.cancel();
        self.0.changed.send_replace(());
    }

    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Ends the open watch streams, which would else hold up a server that
    /// waits for its calls to end.
    pub fn close(&self) {
        self.drain();
        self.0.closed.cancel();
    }

    pub(crate) async fn closed(&self) {
        self.0.closed.cancelled().await;
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// Whether all latches were released; looks at nothing else.
    pub fn startup(&self) -> Report {
        Report::of(self.latches())
    }

    /// Whether the process wants work now.
    pub async fn ready(&self) -> Report {
        let mut checks = self.latches();
        if self.is_draining() {
            checks.push(("drain", Check::Draining));
            return Report::of(checks);
        }
        let probes = lock(&self.0.probes).clone();
        let names = probes.iter().map(|probe| probe.name);
        let answers = futures::future::join_all(probes.iter().map(|probe| probe.check())).await;
        checks.extend(names.zip(answers));
        Report::of(checks)
    }

    fn latches(&self) -> Vec<(&'static str, Check)> {
        let check = |released: &bool| match released {
            true => Check::Ok,
            false => Check::Waiting,
        };
        let latches = lock(&self.0.latches);
        latches
            .iter()
            .map(|(name, held)| (*name, check(held)))
            .collect()
    }
}

/// Each change is one step: a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
