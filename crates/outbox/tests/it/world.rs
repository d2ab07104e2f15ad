//! A database, a Redis, and what the tests do with them.

use database::{Connection, Database};
use outbox::{Consumer, Event, HandleError, Handler, Received, Relay};
use redis::{AsyncCommands, Value, streams::StreamRangeReply};
use redis_connection::{Redis, Settings};
use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};
use testkit::{TestDatabase, TestRedis};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const TOPIC: &str = "cartwright.test.v1";
pub const GROUP: &str = "testers";

pub struct World {
    pub db: Database,
    pub redis: TestRedis,
}

impl World {
    pub async fn new() -> Self {
        let test = testkit::database(&[&outbox::MIGRATOR]).await;
        Self::with(test).await
    }

    pub async fn with(test: TestDatabase) -> Self {
        let redis = testkit::redis().await;
        // What the consumer's handler of these tests writes: one row per effect.
        execute(
            &test.db,
            "create table effects (place bigint generated always as identity, event_id uuid, aggregate uuid, sequence bigint)",
        )
        .await;
        execute(
            &test.db,
            "create table aggregates (id uuid primary key, version bigint not null)",
        )
        .await;
        let db = test.db;
        Self { db, redis }
    }

    pub fn settings(&self) -> Redis {
        Redis::new(Settings::new(self.redis.url.as_str()))
    }

    pub fn relay(&self) -> Running {
        self.relay_over(&self.settings())
    }

    pub fn relay_over(&self, redis: &Redis) -> Running {
        let relay = Relay::new(self.db.clone(), redis.clone());
        Running::spawn(|cancel| relay.run(cancel))
    }

    pub fn consumer_over(&self, redis: &Redis, handler: Effects) -> Running {
        let consumer = Consumer::new(self.db.clone(), redis.clone(), TOPIC, GROUP, "one");
        Running::spawn(|cancel| consumer.run(handler, cancel))
    }

    pub fn consumer(&self, name: &str, handler: Effects) -> Running {
        let consumer = Consumer::new(self.db.clone(), self.settings(), TOPIC, GROUP, name);
        Running::spawn(|cancel| consumer.run(handler, cancel))
    }

    /// Appends one event per sequence, each in a transaction of its own.
    pub async fn append(&self, aggregate: Uuid, sequences: impl IntoIterator<Item = i64>) {
        for sequence in sequences {
            let mut tx = self.db.begin().await.unwrap();
            let events = [event(aggregate, sequence)];
            outbox::append(&mut tx, &events).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        self.redis.connect().await
    }

    pub async fn published(&self) -> Vec<HashMap<String, Value>> {
        let range: StreamRangeReply = self.redis().await.xrange_all(TOPIC).await.unwrap();
        range.ids.into_iter().map(|entry| entry.map).collect()
    }

    pub async fn published_count(&self) -> usize {
        self.redis().await.xlen(TOPIC).await.unwrap()
    }

    pub async fn depth(&self) -> i64 {
        let mut conn = self.db.acquire().await.unwrap();
        outbox::depth(&mut conn).await.unwrap()
    }

    /// The effects so far, in order: aggregate and sequence.
    pub async fn effects(&self) -> Vec<(Uuid, i64)> {
        let mut conn = self.db.acquire().await.unwrap();
        sqlx::query_as("select aggregate, sequence from effects order by place")
            .fetch_all(&mut *conn)
            .await
            .unwrap()
    }

    pub async fn effects_of(&self, aggregate: Uuid) -> Vec<i64> {
        let effects = self.effects().await;
        let of = effects.into_iter().filter(|(id, _)| *id == aggregate);
        of.map(|(_, sequence)| sequence).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.db.acquire().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap()
    }
}

/// A relay or a consumer on a task of its own.
pub struct Running {
    pub task: JoinHandle<()>,
    cancel: CancellationToken,
}

impl Running {
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self {
        let cancel = CancellationToken::new();
        let task = tokio::spawn(run(cancel.clone()));
        Self { task, cancel }
    }

    pub async fn stop(self) {
        self.cancel.cancel();
        let stopped = tokio::time::timeout(Duration::from_secs(10), self.task).await;
        stopped.expect("should stop when told to").unwrap();
    }

    /// As if its process died right now.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// What a handler does before its effect.
type Before = dyn Fn(&Received) -> Result<(), HandleError> + Send + Sync;

/// Writes one row per event, after `before` has had its say.
#[derive(Clone)]
pub struct Effects {
    pub tried: Arc<Mutex<Vec<Received>>>,
    before: Arc<Before>,
}

impl Effects {
    pub fn new() -> Self {
        Self::after(|_| Ok(()))
    }

    pub fn after(
        before: impl Fn(&Received) -> Result<(), HandleError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            tried: Arc::default(),
            before: Arc::new(before),
        }
    }

    pub fn tries(&self) -> usize {
        self.tried.lock().unwrap().len()
    }
}

impl Handler for Effects {
    async fn handle(&self, tx: &mut Connection, event: &Received) -> Result<(), HandleError> {
        self.tried.lock().unwrap().push(event.clone());
        sqlx::query("insert into effects (event_id, aggregate, sequence) values ($1, $2, $3)")
            .bind(event.id)
            .bind(event.aggregate)
            .bind(event.sequence)
            .execute(&mut *tx)
            .await?;
        // Last, so that a failure has an effect to undo.
        (self.before)(event)
    }
}

pub fn event(aggregate: Uuid, sequence: i64) -> Event {
    Event {
        id: Uuid::now_v7(),
        topic: TOPIC,
        kind: "happened",
        aggregate,
        sequence,
        payload: vec![0, 255, 10],
        traceparent: None,
    }
}

pub async fn execute(db: &Database, sql: &'static str) {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query(sql).execute(&mut *conn).await.unwrap();
}

/// Waits until `done`, for at most 30 s.
pub async fn until<F: Future<Output = bool>>(what: &str, done: impl Fn() -> F) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "still waiting: {what}");
}
