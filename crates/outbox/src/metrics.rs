//! What is counted of events on their way, and how far behind they are.

use std::sync::LazyLock;

use database::Database;
use telemetry::metrics::{Counter, Gauge, KeyValue, counter, gauge};

use crate::{depth, parked};

static DEPTH: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "outbox.depth",
        "{event}",
        "Events that are not published yet.",
    )
});
static LAG: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "outbox.lag",
        "s",
        "The age of the oldest event that is not published yet; 0 if there is none.",
    )
});
static PUBLISHED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "outbox.published",
        "{event}",
        "Events that were published and have left the outbox.",
    )
});
static PROCESSED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "events.processed",
        "{event}",
        "Events that consumers have read, by what became of them.",
    )
});
static PARKED: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "events.parked",
        "{event}",
        "Events that a group of consumers could not handle and has put aside.",
    )
});

/// What became of an event that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processed {
    Handled,
    /// It was handled before.
    Known,
    /// It waits behind an event of its aggregate that is parked.
    Waiting,
    Parked,
}

impl Processed {
    fn name(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Known => "known",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

pub(crate) fn published(events: usize) {
    PUBLISHED.add(u64::try_from(events).unwrap_or(u64::MAX), &[]);
}

pub(crate) fn processed(stream: &str, group: &str, what: Processed) {
    let labels = [
        KeyValue::new("stream", stream.to_owned()),
        KeyValue::new("group", group.to_owned()),
        KeyValue::new("outcome", what.name()),
    ];
    PROCESSED.add(1, &labels);
}

/// Reads how far the relay of this database is behind, and how much the
/// `groups` that consume here have parked. To be called now and then.
pub async fn measure(db: &Database, groups: &[&'static str]) -> database::Result<()> {
    let mut conn = db.acquire().await?;
    DEPTH.set(depth::depth(&mut conn).await? as f64, &[]);
    LAG.set(depth::lag(&mut conn).await?.as_secs_f64(), &[]);
    for group in groups {
        let parked = parked::count(&mut conn, group).await?;
        PARKED.set(parked as f64, &[KeyValue::new("group", *group)]);
    }
    Ok(())
}
