use crate::{
    Handler, Received,
    broker::{Broker, Entry, Subscription},
    delivery::Delivery,
    outage::{Outage, Trouble},
    seat::Seat,
};
use database::Database;
use futures::{StreamExt, stream};
use redis_connection::Redis;
use std::collections::HashMap;
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

/// How many aggregates are handled at once; each takes a pooled connection.
const AGGREGATES_AT_ONCE: usize = 4;

/// Reads one stream as one group and has each event handled once, per
/// aggregate in order. Run one in every replica: one is active per group, the
/// others stand by, because two readers of a group would split an aggregate.
///
/// An event that fails five times is parked with the later ones of its
/// aggregate, until [`release_parked`](crate::release_parked); the others go on.
pub struct Consumer {
    db: Database,
    redis: Redis,
    stream: String,
    group: String,
    name: String,
}

impl Consumer {
    pub fn new(
        db: Database,
        redis: Redis,
        stream: impl Into<String>,
        group: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            db,
            redis,
            stream: stream.into(),
            group: group.into(),
            name: name.into(),
        }
    }

    /// Runs until cancelled, through every outage of Postgres and Redis.
    pub async fn run<H: Handler>(self, handler: H, cancel: CancellationToken) {
        let role = format!("outbox consumer {} {}", self.stream, self.group);
        let mut outage = Outage::none(&role);
        while !cancel.is_cancelled() {
            let session = self.session(&role, &handler, &mut outage, &cancel);
            if let Err(trouble) = session.await {
                outage.failed(&trouble, &cancel).await;
            }
        }
    }

    /// Consumes for as long as the seat and Redis are held, and Redis stays
    /// where it is. What was read and not acknowledged before comes first, so
    /// that order is kept.
    async fn session<H: Handler>(
        &self,
        role: &str,
        handler: &H,
        outage: &mut Outage,
        cancel: &CancellationToken,
    ) -> Result<(), Trouble> {
        let Some(mut seat) = Seat::take(&self.db, role, cancel).await? else {
            return Ok(());
        };
        let mut broker = Broker::connect(&self.redis).await?;
        let of = self.subscription();
        let delivery = Delivery {
            db: &self.db,
            group: &self.group,
            handler,
        };
        broker.create_group(&of).await?;
        let mut pending = Some("0-0".to_owned());
        while !cancel.is_cancelled() && !broker.is_outdated() {
            seat.check().await?;
            delivery.settle_released(&self.stream).await?;
            let entries = match pending.take() {
                Some(start) => {
                    let (entries, next) = broker.claim(&of, &start).await?;
                    pending = next;
                    entries
                }
                // An entry that is read and then dropped is claimed next time.
                None => match cancel.run_until_cancelled(broker.read(&of)).await {
                    Some(entries) => entries?,
                    None => break,
                },
            };
            let (settled, result) = settle(&delivery, entries).await;
            broker.acknowledge(&of, &settled).await?;
            result?;
            outage.over();
        }
        seat.leave().await;
        Ok(())
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            stream: &self.stream,
            group: &self.group,
            consumer: &self.name,
        }
    }
}

/// Settles what was read, several aggregates at once, each in order. Gives the
/// ids of the settled entries, also when others met an outage.
async fn settle<H: Handler>(
    delivery: &Delivery<'_, H>,
    entries: Vec<Entry>,
) -> (Vec<String>, database::Result<()>) {
    let mut settled = Vec::with_capacity(entries.len());
    let mut queues: HashMap<Uuid, Vec<(String, Received)>> = HashMap::new();
    for entry in entries {
        match entry.event {
            Some(event) => {
                let queue = queues.entry(event.aggregate).or_default();
                queue.push((entry.id, event));
            }
            None => {
                error!(
                    messaging.message.id = entry.id,
                    "an entry that is no event is passed over"
                );
                settled.push(entry.id);
            }
        }
    }
    let queues = stream::iter(queues.into_values());
    let results: Vec<_> = queues
        .map(|queue| settle_in_order(delivery, queue))
        .buffer_unordered(AGGREGATES_AT_ONCE)
        .collect()
        .await;
    let mut outcome = Ok(());
    for (ids, result) in results {
        settled.extend(ids);
        outcome = outcome.and(result);
    }
    (settled, outcome)
}

async fn settle_in_order<H: Handler>(
    delivery: &Delivery<'_, H>,
    queue: Vec<(String, Received)>,
) -> (Vec<String>, database::Result<()>) {
    let mut settled = Vec::with_capacity(queue.len());
    for (id, event) in queue {
        if let Err(error) = delivery.settle(&event).await {
            return (settled, Err(error));
        }
        settled.push(id);
    }
    (settled, Ok(()))
}
