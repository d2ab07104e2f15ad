//! A new address or a new password for a pool that is in use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::{Database, Result, Settings};

/// What the pool's connections are opened by.
pub(crate) struct Access {
    application_name: String,
    now: Mutex<Settings>,
    /// Grows with each change.
    version: AtomicU64,
}

impl Access {
    pub(crate) fn new(settings: &Settings, application_name: &str) -> Self {
        Self {
            application_name: application_name.to_owned(),
            now: Mutex::new(settings.clone()),
            version: AtomicU64::new(0),
        }
    }
}

impl Database {
    /// Takes over address and password of `settings` (and nothing else):
    /// connections are opened by them from now on, and none that is older is
    /// handed out again. Work in flight ends on the connection that it has.
    /// False: nothing is new.
    pub fn rotate(&self, settings: &Settings) -> Result<bool> {
        let now = self.access.now.lock();
        let mut now = now.unwrap_or_else(PoisonError::into_inner);
        if is_same(&now, settings) {
            return Ok(false);
        }
        let next = Settings {
            url: settings.url.clone(),
            password: settings.password.clone(),
            ..now.clone()
        };
        let options = next.pooled(&self.access.application_name)?;
        self.pool.set_connect_options(options);
        self.access.version.fetch_add(1, Ordering::SeqCst);
        let opens_within = Duration::from_millis(next.acquire_timeout_ms);
        *now = next;
        self.retire(opens_within);
        Ok(true)
    }

    /// Grows whenever address or password change: for those who keep a
    /// connection of their own.
    pub fn version(&self) -> u64 {
        self.access.version.load(Ordering::SeqCst)
    }

    /// A connection that is being opened right now may still be one of the
    /// old kind, so what is young then is retired, too.
    fn retire(&self, opens_within: Duration) {
        self.last_sign.renew();
        let last_sign = self.last_sign.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(opens_within).await;
                last_sign.renew();
            });
        }
    }
}

fn is_same(one: &Settings, other: &Settings) -> bool {
    let password = |of: &Settings| of.password.as_ref().map(text);
    text(&one.url) == text(&other.url) && password(one) == password(other)
}

fn text(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}
