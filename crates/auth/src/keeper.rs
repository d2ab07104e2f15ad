//! Keeps the keys of the issuer fresh, and the last good ones when they
//! cannot be.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    keys::Keys,
    settings::Settings,
    source::{Error, Reader},
};

const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Notifications miss how a mounted volume is swapped; a read costs nothing.
const POLL_FILE: Duration = Duration::from_secs(2);
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Keeper {
    reader: Reader,
    refresh: Duration,
    pause: Duration,
    keys: ArcSwapOption<Keys>,
    /// When a token with an unknown key last made us read. Held while that
    /// goes on, so that all who wait share its result.
    asked: Mutex<Option<Instant>>,
    /// The last failure, so that one that lasts is told once.
    problem: std::sync::Mutex<Option<String>>,
}

impl Keeper {
    pub(crate) fn new(reader: Reader, settings: &Settings) -> Self {
        let refresh = match reader.is_file() {
            true => POLL_FILE,
            false => settings.refresh(),
        };
        Self {
            reader,
            refresh,
            pause: UNKNOWN_KEY_PAUSE,
            keys: ArcSwapOption::empty(),
            asked: Mutex::new(None),
            problem: std::sync::Mutex::new(None),
        }
    }

    /// `None` until they could be read once.
    pub(crate) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.load_full()
    }

    /// Reads the keys. When that fails, those of before stay.
    pub(crate) async fn read(&self) -> Result<(), Error> {
        match self.reader.read().await {
            Ok(keys) => {
                self.settle(keys);
                Ok(())
            }
            Err(error) => {
                self.complain(&error);
                Err(error)
            }
        }
    }

    /// A token named a key that `seen` does not have: looks whether the issuer
    /// has a new one, unless that was done a moment ago. Returns the keys to
    /// look in, if they are other ones.
    pub(crate) async fn newer_than(&self, seen: &Arc<Keys>) -> Option<Arc<Keys>> {
        let mut asked = self.asked.lock().await;
        if let Some(newer) = self.other_than(seen) {
            return Some(newer);
        }
        if asked.is_some_and(|last| last.elapsed() < self.pause) {
            return None;
        }
        *asked = Some(Instant::now());
        self.read().await.ok()?;
        self.other_than(seen)
    }

    /// For ever.
    pub(crate) async fn run(&self) {
        let mut retry = RETRY_FIRST;
        loop {
            let healthy = self.keys().is_some();
            let pause = if healthy { self.refresh } else { retry };
            tokio::time::sleep(pause.min(self.refresh)).await;
            retry = match self.read().await {
                Ok(()) => RETRY_FIRST,
                Err(_) => (retry * 2).min(RETRY_MAX),
            };
        }
    }

    fn other_than(&self, seen: &Arc<Keys>) -> Option<Arc<Keys>> {
        self.keys().filter(|keys| !Arc::ptr_eq(keys, seen))
    }

    fn settle(&self, keys: Keys) {
        let was_broken = self.problem().take().is_some();
        let same = self.keys().is_some_and(|old| *old == keys);
        if !same {
            tracing::info!(keys = ?keys.names(), "the keys of the issuer are read");
            self.keys.store(Some(Arc::new(keys)));
        } else if was_broken {
            tracing::info!("the keys of the issuer can be read again");
        }
    }

    fn complain(&self, error: &Error) {
        let reason = error.to_string();
        let mut problem = self.problem();
        if problem.as_ref() == Some(&reason) {
            return;
        }
        match self.keys().is_some() {
            true => tracing::warn!(
                error = reason,
                "the last good keys of the issuer stay in use"
            ),
            false => tracing::error!(
                error = reason,
                "no token can be verified until they are read"
            ),
        }
        *problem = Some(reason);
    }

    fn problem(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;
    use crate::developer::Key;

    #[tokio::test]
    async fn after_the_pause_an_unknown_key_is_looked_for_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        let publish = || std::fs::write(&path, Key::generate().unwrap().jwks()).unwrap();
        publish();
        let settings = Settings::jwt("issuer", format!("file:{}", path.display()));
        let mut keeper = Keeper::new(Reader::new(&settings).unwrap(), &settings);
        keeper.pause = Duration::from_millis(300);
        keeper.read().await.unwrap();
        let first = keeper.keys().unwrap();
        publish();
        let second = keeper.newer_than(&first).await.unwrap();
        publish();
        assert!(keeper.newer_than(&second).await.is_none(), "too soon");
        let stale = keeper.newer_than(&first).await;
        assert_eq!(stale, Some(second.clone()), "who has older keys gets these");
        tokio::time::sleep(keeper.pause).await;
        let third = keeper.newer_than(&second).await;
        assert!(third.is_some_and(|third| third != second));
    }
}
