//! Settings that change while the process runs.
//!
//! The file and the secret files are read anew every few seconds, by content:
//! editors rename, Kubernetes swaps a symbolic link far above the file, and
//! notifications miss both. New settings must be as good as those of a start;
//! if they are not, the old ones stay. Which keys are taken over stands at
//! the fields themselves (`x-reload`); a change of another one is only logged.

use std::{path::PathBuf, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use settings::{Change, Key, SettingsError, Values};
use telemetry::{LevelHandle, SampleHandle};
use tokio::sync::watch;

use crate::{Settings, commands};

/// Content that changes again within this is still being written.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);

/// The settings of a service, each time they have changed.
#[derive(Debug)]
pub struct Reloads<S>(watch::Receiver<Option<Arc<S>>>);

impl<S: Send + Sync + 'static> Reloads<S> {
    /// The newest settings that were not seen yet. `None`: the process ends.
    pub async fn next(&mut self) -> Option<Arc<S>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }

    /// Calls `apply` with all settings whenever some have changed, until the
    /// process ends. It takes what it can and leaves the rest alone.
    pub fn follow(mut self, mut apply: impl FnMut(&S) + Send + 'static) {
        tokio::spawn(async move {
            while let Some(settings) = self.next().await {
                apply(&settings);
            }
        });
    }
}

/// What was read, and from where it is read again.
pub(crate) struct Watch<S> {
    file: Option<PathBuf>,
    values: Values,
    keys: Vec<Key>,
    /// What was last wrong with the settings, and logged.
    refused: Option<String>,
    changed: watch::Sender<Option<Arc<S>>>,
}

/// What the process itself takes over.
pub(crate) struct Handles {
    pub(crate) level: LevelHandle,
    pub(crate) sampling: SampleHandle,
}

type Read<S> = Result<(Settings, S, Values), SettingsError>;

impl<S: DeserializeOwned + JsonSchema + Send + Sync + 'static> Watch<S> {
    pub(crate) fn new(file: Option<PathBuf>, values: Values) -> (Self, Reloads<S>) {
        let (changed, reloads) = watch::channel(None);
        let keys = [settings::keys::<Settings>(), settings::keys::<S>()].concat();
        let this = Self {
            file,
            values,
            keys,
            refused: None,
            changed,
        };
        (this, Reloads(reloads))
    }

    pub(crate) async fn run(mut self, interval: Duration, handles: Handles) {
        loop {
            tokio::time::sleep(interval).await;
            self.look(&handles).await;
        }
    }

    async fn look(&mut self, handles: &Handles) {
        let first = self.read().await;
        if !self.is_news(&first) {
            return;
        }
        tokio::time::sleep(SETTLES_WITHIN).await;
        let second = self.read().await;
        if !is_same(&first, &second) {
            return;
        }
        match second {
            Ok((common, own, values)) => self.take_over(&common, own, values, handles),
            Err(error) => self.refuse(&error),
        }
    }

    /// Off the runtime's threads: a mounted file may be slow.
    async fn read(&self) -> Read<S> {
        let file = self.file.clone();
        let reading = tokio::task::spawn_blocking(move || commands::load(file.as_deref()));
        match reading.await {
            Ok(read) => read,
            Err(error) => Err(SettingsError::invalid("", error.to_string())),
        }
    }

    fn is_news(&self, read: &Read<S>) -> bool {
        match read {
            Ok((_, _, values)) => self.refused.is_some() || *values != self.values,
            Err(error) => self.refused.as_ref() != Some(&error.to_string()),
        }
    }

    fn refuse(&mut self, error: &SettingsError) {
        tracing::error!(%error, "the new settings are refused, the old ones stay");
        self.refused = Some(error.to_string());
    }

    fn take_over(&mut self, common: &Settings, own: S, values: Values, handles: &Handles) {
        let changes = self.values.changes(&values, &self.keys);
        if self.refused.take().is_some() && changes.is_empty() {
            tracing::info!("the settings are good again, and as they were");
        }
        changes.iter().for_each(tell);
        let has_changed = |key| changes.iter().any(|change| change.key == key);
        if has_changed("log.level") {
            handles.level.set(common.log.level.clone());
        }
        if has_changed("telemetry.sample_ratio") {
            let environment = &common.deployment.environment;
            handles.sampling.follow(&common.telemetry, environment);
        }
        self.values = values;
        // Nobody follows: the service has nothing that could change.
        let _ = self.changed.send(Some(Arc::new(own)));
    }
}

/// The environment is always that of the start: it cannot have changed.
fn is_same<S>(one: &Read<S>, other: &Read<S>) -> bool {
    match (one, other) {
        (Ok((_, _, one)), Ok((_, _, other))) => one == other,
        (Err(one), Err(other)) => one == other,
        _ => false,
    }
}

fn tell(change: &Change) {
    let Change { key, old, new, .. } = change;
    if change.reload {
        tracing::info!(key, old, new, "a setting has changed");
    } else {
        tracing::warn!(key, old, new, "a setting has changed that needs a restart");
    }
}
