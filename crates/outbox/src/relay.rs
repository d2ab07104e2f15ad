use crate::{
    broker::{Broker, Outgoing},
    metrics,
    outage::{Outage, Trouble},
    seat::Seat,
};
use database::Database;
use redis_connection::Redis;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const ROLE: &str = "outbox relay";
const BATCH_MAX: i64 = 500;
const POLL: Duration = Duration::from_millis(200);
/// Under load events gather for so long, to share a round.
const GATHER: Duration = Duration::from_millis(10);
/// How many entries a stream keeps, about.
const KEEP: u64 = 1_000_000;

/// Publishes the outbox of one database. Run one in every replica: one is
/// active, the others stand by. It may be killed at any moment: events are
/// published first and deleted then, so at worst they are published again.
pub struct Relay {
    db: Database,
    redis: Redis,
    keep: u64,
    wake: Wake,
}

/// Tells the relay of this process that there may be new events.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Call it after the commit; it costs next to nothing. Events of other
    /// processes are found by polling.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

impl Relay {
    pub fn new(db: Database, redis: Redis) -> Self {
        Self {
            db,
            redis,
            keep: KEEP,
            wake: Wake::default(),
        }
    }

    /// Sets how many entries each stream keeps, about (default a million):
    /// how far a consumer may fall behind without losing events.
    #[must_use]
    pub fn keeping(mut self, entries: u64) -> Self {
        self.keep = entries;
        self
    }

    pub fn wake_handle(&self) -> Wake {
        self.wake.clone()
    }

    pub fn wake(&self) {
        self.wake.wake();
    }

    /// Runs until cancelled, through every outage of Postgres and Redis.
    pub async fn run(self, cancel: CancellationToken) {
        let mut outage = Outage::none(ROLE);
        while !cancel.is_cancelled() {
            if let Err(trouble) = self.lead(&mut outage, &cancel).await {
                outage.failed(&trouble, &cancel).await;
            }
        }
    }

    /// Publishes for as long as the seat is held.
    async fn lead(&self, outage: &mut Outage, cancel: &CancellationToken) -> Result<(), Trouble> {
        let Some(mut seat) = Seat::take(&self.db, ROLE, cancel).await? else {
            return Ok(());
        };
        let mut broker = None;
        let mut limit = BATCH_MAX;
        while !cancel.is_cancelled() {
            let events = read(&mut seat, limit).await?;
            if failpoint::planted!("delete-before-publish") {
                delete(&mut seat, &events).await?;
            }
            let published = self.publish(&mut broker, &events).await;
            match published {
                Ok(()) => {
                    if failpoint::planted!("outbox-by-cursor") {
                        delete_up_to(&mut seat, &events).await?;
                    }
                    delete(&mut seat, &events).await?;
                    metrics::published(events.len());
                    outage.over();
                    let is_full = i64::try_from(events.len()).unwrap_or(i64::MAX) >= limit;
                    limit = (limit * 2).min(BATCH_MAX);
                    if !is_full {
                        self.wait(!events.is_empty(), cancel).await;
                    }
                }
                Err(trouble) => {
                    // A batch that is too big for the time given gets smaller.
                    broker = None;
                    limit = (limit / 2).max(1);
                    outage.failed(&trouble, cancel).await;
                }
            }
        }
        seat.leave().await;
        Ok(())
    }

    async fn publish(
        &self,
        broker: &mut Option<Broker>,
        events: &[Outgoing],
    ) -> Result<(), Trouble> {
        if events.is_empty() {
            return Ok(());
        }
        broker.take_if(|broker| broker.is_outdated());
        let broker = match broker {
            Some(broker) => broker,
            None => broker.insert(Broker::connect(&self.redis).await?),
        };
        let published = broker.publish(events, self.keep);
        Ok(failpoint::around!(
            "outbox.relay",
            "publish",
            published.await
        )?)
    }

    async fn wait(&self, is_busy: bool, cancel: &CancellationToken) {
        if is_busy {
            tokio::time::sleep(GATHER).await;
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.wake.0.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn read(seat: &mut Seat, limit: i64) -> Result<Vec<Outgoing>, Trouble> {
    seat.answered(async |conn| {
        sqlx::query_as(
            "select position, event_id, topic, kind, aggregate, sequence, payload, traceparent, created_at
             from outbox
             order by position
             limit $1",
        )
        .bind(limit)
        .fetch_all(conn)
        .await
    })
    .await
}

async fn delete(seat: &mut Seat, events: &[Outgoing]) -> Result<(), Trouble> {
    if events.is_empty() {
        return Ok(());
    }
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    let deleted = seat.answered(async |conn| {
        sqlx::query("delete from outbox where position = any ($1)")
            .bind(positions)
            .execute(conn)
            .await
    });
    failpoint::around!("outbox.relay", "delete", deleted.await)?;
    Ok(())
}

/// Takes all up to the last one for published. Only a planted bug does so.
async fn delete_up_to(seat: &mut Seat, events: &[Outgoing]) -> Result<(), Trouble> {
    let last = events.last().map(|event| event.position);
    seat.answered(async |conn| {
        sqlx::query("delete from outbox where position <= $1")
            .bind(last)
            .execute(conn)
            .await
    })
    .await?;
    Ok(())
}
