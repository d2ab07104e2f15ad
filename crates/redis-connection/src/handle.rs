//! The settings as they are now, shared by all who connect.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::RwLock;
use redis::{AsyncConnectionConfig, RedisResult, aio::MultiplexedConnection};

use crate::Settings;

/// The way to one Redis; clones share it.
#[derive(Debug, Clone)]
pub struct Redis(Arc<RwLock<Now>>);

#[derive(Debug)]
struct Now {
    settings: Settings,
    /// Grows with each change.
    version: u64,
}

/// A connection, and the settings' version that it was opened by.
#[derive(Clone)]
pub struct Connection {
    inner: MultiplexedConnection,
    version: u64,
}

impl Redis {
    pub fn new(settings: Settings) -> Self {
        let version = 0;
        Self(Arc::new(RwLock::new(Now { settings, version })))
    }

    /// New connections are opened by `settings` from now on. Connections that
    /// are open work on until their holders see that they are
    /// [outdated](Redis::has_outdated). False: nothing is new.
    pub fn set(&self, settings: Settings) -> bool {
        let mut now = self.0.write();
        let changed = !now.settings.is_same_as(&settings);
        if changed {
            now.version += 1;
            now.settings = settings;
        }
        changed
    }

    /// Opens a connection. It does not mend itself: after an error, or when it
    /// is outdated, open another.
    pub async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<Connection> {
        let (client, version) = {
            let now = self.0.read();
            (now.settings.client()?, now.version)
        };
        let inner = client
            .get_multiplexed_async_connection_with_config(config)
            .await?;
        Ok(Connection { inner, version })
    }

    /// Was `connection` opened by settings that hold no more?
    pub fn has_outdated(&self, connection: &Connection) -> bool {
        self.version() != connection.version
    }

    /// Grows whenever the settings change.
    pub fn version(&self) -> u64 {
        self.0.read().version
    }
}

impl From<Settings> for Redis {
    fn from(settings: Settings) -> Self {
        Self::new(settings)
    }
}

impl Deref for Connection {
    type Target = MultiplexedConnection;

    fn deref(&self) -> &MultiplexedConnection {
        &self.inner
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut MultiplexedConnection {
        &mut self.inner
    }
}
