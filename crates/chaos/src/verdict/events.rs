//! Every event is delivered, in sequence, and acted upon once.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use sqlx::Row;

use super::check::Check;
use super::evidence::Evidence;
use super::site::{DATABASES, Site};
use crate::history::Published;
use crate::workload::tail::{self, STREAMS};

/// The group in whose name the order service reads.
const GROUP: &str = "order-service";

const OUTBOX: (&str, &str) = (
    "outbox-empty",
    "no event waits to be published, and none was set aside",
);
const EFFECTS: (&str, &str) = (
    "effects-once",
    "each event that the streams hold for the order service was acted upon, once",
);

pub async fn checks(site: &Site, evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        outbox(site, evidence)
            .await
            .unwrap_or_else(|error| Check::failed(OUTBOX.0, OUTBOX.1, &error)),
        effects(site, evidence)
            .await
            .unwrap_or_else(|error| Check::failed(EFFECTS.0, EFFECTS.1, &error)),
        published(evidence),
        in_sequence(evidence),
    ]
}

async fn outbox(site: &Site, evidence: &Evidence<'_>) -> Result<Check> {
    let mut check = Check::new(OUTBOX.0, OUTBOX.1);
    // What has been through it.
    check.looked_at = due(evidence).count() as u64;
    for database in DATABASES {
        let mut conn = site.connect(database).await?;
        let waiting = sqlx::query(
            "select aggregate::text, topic || ' ' || sequence || ' waits' from outbox
             union all
             select aggregate::text, stream || ' ' || sequence || ' is set aside: '
                    || coalesce(error, 'behind another')
             from inbox_parked",
        );
        for row in waiting.fetch_all(&mut conn).await? {
            let (aggregate, what): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            check.broken(Some(&aggregate), format!("{database}: {what}"));
        }
    }
    Ok(check)
}

/// Events in the streams that the order service has still to act upon.
pub async fn unhandled(site: &Site) -> Result<usize> {
    let handled = handled(site).await?;
    let streams = tail::read(&site.redis).await?;
    let of_others = streams.iter().filter(|entry| entry.topic != STREAMS[0]);
    let waits = of_others.filter(|entry| !handled.contains_key(&entry.event));
    Ok(waits.count())
}

/// How often it has acted upon each event.
async fn handled(site: &Site) -> Result<HashMap<String, i64>> {
    let mut conn = site.connect("orders").await?;
    let handled: Vec<(String, i64)> = sqlx::query_as(
        "select event_id::text, count(*)
         from inbox
         where consumer_group = $1
         group by event_id",
    )
    .bind(GROUP)
    .fetch_all(&mut conn)
    .await?;
    Ok(handled.into_iter().collect())
}

async fn effects(site: &Site, evidence: &Evidence<'_>) -> Result<Check> {
    let mut check = Check::new(EFFECTS.0, EFFECTS.1);
    let handled = handled(site).await?;
    let streams = evidence.streams.iter();
    for entry in streams.filter(|entry| entry.topic != STREAMS[0]) {
        check.looked();
        let times = handled.get(&entry.event).copied().unwrap_or(0);
        check.expect(times == 1, Some(&entry.aggregate), || {
            format!("handled {times} times: {entry:?}")
        });
    }
    Ok(check)
}

/// All events that there have ever been, by the books: stream, aggregate,
/// sequence.
fn due<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (&'static str, &'a str, i64)> {
    let [of_orders, of_payments, of_stock] = STREAMS;
    let orders = evidence.orders.orders.keys().flat_map(move |order| {
        let events = evidence.orders.events(order).iter();
        events.map(move |event| (of_orders, order.as_str(), event.sequence))
    });
    let payments = evidence.payments.payments.iter().flat_map(move |payment| {
        (1..=payment.event_count).map(move |sequence| (of_payments, payment.id.as_str(), sequence))
    });
    let stock = evidence.stock.reservations.values().flat_map(move |one| {
        (1..=one.events).map(move |sequence| (of_stock, one.order_id.as_str(), sequence))
    });
    orders.chain(payments).chain(stock)
}

fn published(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "events-published",
        "every event of the books was seen on its stream, and no other; what a flush of Redis \
         takes away before it is read excepted",
    );
    let seen = evidence.history.published.iter().chain(&evidence.streams);
    let mut seen: HashSet<(&str, &str, i64)> = seen
        .map(|p| (p.topic.as_str(), p.aggregate.as_str(), p.sequence))
        .collect();
    let flushes = evidence.circumstances.flushes.len();
    let mut lost = 0;
    for event in due(evidence) {
        check.looked();
        if seen.remove(&event) {
            continue;
        }
        match flushes {
            0 => check.broken(Some(event.1), format!("never published: {event:?}")),
            _ => lost += 1,
        }
    }
    for stray in seen {
        check.broken(Some(stray.1), format!("in no books: {stray:?}"));
    }
    check.remark = Some(format!("{lost} taken away by {flushes} flushes"));
    check
}

fn in_sequence(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "events-in-sequence",
        "each event appears on its stream after the one before it of the same aggregate; \
         repeated ones are dropped by their ids",
    );
    let flushed = !evidence.circumstances.flushes.is_empty();
    follow(&evidence.history.published, flushed, &mut check);
    follow(&evidence.streams, flushed, &mut check);
    check
}

/// `flushed`: a part may be missing, but nothing overtakes.
fn follow(entries: &[Published], flushed: bool, check: &mut Check) {
    let mut last: HashMap<(&str, &str), i64> = HashMap::new();
    let mut ids: HashMap<&str, (&str, i64)> = HashMap::new();
    for entry in entries {
        check.looked();
        let what = (entry.aggregate.as_str(), entry.sequence);
        if let Some(first) = ids.insert(&entry.event, what) {
            check.expect(first == what, Some(&entry.aggregate), || {
                format!("one id for two events: {first:?} and {entry:?}")
            });
            continue;
        }
        let last = last.entry((&entry.topic, &entry.aggregate)).or_default();
        let follows = entry.sequence == *last + 1 || (flushed && entry.sequence > *last);
        check.expect(follows, Some(&entry.aggregate), || {
            format!("{} {} after {last}", entry.topic, entry.sequence)
        });
        *last = entry.sequence.max(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sequences: &[i64], flushed: bool) -> u64 {
        let entries: Vec<Published> = sequences
            .iter()
            .map(|sequence| Published {
                topic: "t".to_owned(),
                event: format!("e{sequence}"),
                aggregate: "a".to_owned(),
                sequence: *sequence,
            })
            .collect();
        let mut check = Check::new("a", "b");
        follow(&entries, flushed, &mut check);
        check.violations
    }

    #[test]
    fn a_repeated_event_is_fine_and_one_that_overtakes_is_not() {
        assert_eq!(run(&[1, 2, 1, 2, 3], false), 0);
        assert_eq!(run(&[1, 3, 2], false), 2);
        assert_eq!(run(&[1, 3, 2], true), 1);
        assert_eq!(run(&[2, 3], false), 1);
        assert_eq!(run(&[2, 3], true), 0);
    }

    #[test]
    fn one_id_stands_for_one_event() {
        let entry = |aggregate: &str| Published {
            topic: "t".to_owned(),
            event: "e".to_owned(),
            aggregate: aggregate.to_owned(),
            sequence: 1,
        };
        let mut check = Check::new("a", "b");
        follow(&[entry("a"), entry("b")], false, &mut check);
        assert_eq!(check.violations, 1);
    }
}
