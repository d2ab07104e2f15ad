//! What the tests share.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use limits::{Dimension, Exceeded, Limits, Quota, Settings};
use redis_connection::Redis;
use testkit::TestRedis;
use tracing_subscriber::fmt::MakeWriter;

pub use Dimension::{Address, Credential, Customer, IdempotencyKey};

/// Nothing is limited but what the test limits.
pub fn unlimited() -> Settings {
    Settings {
        customer: Quota::OFF,
        credential: Quota::OFF,
        address: Quota::OFF,
        idempotency_key: Quota::OFF,
        ..Settings::default()
    }
}

pub fn per_customer(per_second: u32, burst: u32) -> Settings {
    Settings {
        customer: Quota::new(per_second, burst),
        ..unlimited()
    }
}

pub fn handle(url: &str) -> Redis {
    redis_connection::Settings::new(url.to_owned()).into()
}

/// One replica, connected.
pub async fn replica(redis: &TestRedis, settings: Settings) -> Limits {
    let limits = Limits::new(handle(&redis.url), settings);
    until("shared", || limits.is_shared()).await;
    limits
}

pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many of `calls` one after the other are admitted.
pub async fn admitted(limits: &Limits, of: &[(Dimension, &str)], calls: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..calls {
        admitted += usize::from(limits.check(of, 1).await.is_ok());
    }
    admitted
}

pub async fn refusal(limits: &Limits, of: &[(Dimension, &str)], cost: u32) -> Exceeded {
    limits.check(of, cost).await.expect_err("a refusal")
}

pub async fn client(redis: &TestRedis) -> redis::aio::MultiplexedConnection {
    redis.connect().await
}

pub async fn keys(redis: &TestRedis) -> Vec<String> {
    let mut keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut client(redis).await)
        .await
        .unwrap();
    keys.retain(|key| key != "cartwright:limit:probe");
    keys
}

/// What is logged by this thread, one line each.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (log, guard)
    }

    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
