//! Every name that the shop tells in a varied day is in `docs/telemetry.yaml`.

mod day;
mod seen;

use std::{collections::BTreeSet, time::Duration};

use e2e::{Part, Shop, schema::Schema};
use trace_store::{Losses, TraceStore};

use self::seen::Seen;

const PATIENCE: Duration = Duration::from_secs(30);

/// A day on which one of these is missing was not a day of the whole shop.
const CORE: [&str; 27] = [
    // Spans.
    "batch",
    "batch item",
    "http",
    "http client",
    "process",
    "publish",
    "rpc",
    "rpc client",
    "saga",
    "sql",
    // Metrics.
    "calls.refused",
    "db.pool.connections",
    "db.query.duration",
    "events.processed",
    "http.requests",
    "idempotency.answers",
    "orders.cancelled",
    "orders.confirmed",
    "orders.created",
    "orders.rejected",
    "outbox.published",
    "payments.captured",
    "payments.failed",
    "payments.refunded",
    "rpc.server.duration",
    "stock.reservations",
    "webhooks.received",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_tells_nothing_by_a_name_that_is_not_in_the_schema() {
    let (store, endpoints) = TraceStore::start().await.unwrap();
    let mut shop = Shop::start_with(&[
        ("CARTWRIGHT__TELEMETRY__OTLP_ENDPOINT", &endpoints.grpc),
        ("CARTWRIGHT__TELEMETRY__SAMPLE_RATIO", "1"),
        ("CARTWRIGHT__LOG__FORMAT", "json"),
        ("CARTWRIGHT__LOG__LEVEL", "debug"),
    ])
    .await;
    day::live_through(&shop).await;

    let mut seen = Seen::new(Schema::read());
    let scraped = PARTS.map(|part| part(&shop).private());
    for address in scraped {
        let url = format!("http://{address}/metrics");
        let page = reqwest::get(url).await.unwrap().text().await.unwrap();
        seen.page_of_metrics(&page);
    }
    // What is queued is sent at the end.
    for part in PARTS_MUT {
        let part = part(&mut shop);
        assert_eq!(part.terminate(), Some(0), "{}", part.log());
    }
    let whole = store.wait_until(PATIENCE, |store| !store.metrics().is_empty());
    assert!(whole.await, "no metrics were sent");
    // Long values are cut, names are not.
    let lost = Losses {
        parts_cut: 0,
        ..store.summary().lost
    };
    assert!(lost.is_none(), "{lost:?}");
    store.spans().iter().for_each(|span| seen.span(span));
    store
        .metrics()
        .iter()
        .for_each(|metric| seen.metric(metric));
    store.logs().iter().for_each(|log| seen.record(log));
    for part in PARTS {
        let part = part(&shop);
        // Other commands than `serve` speak to people.
        let to_people = format!("{}: ", part.name());
        let log = part.whole_log();
        let lines = log.lines().filter(|line| !line.starts_with(&to_people));
        lines.for_each(|line| seen.line(line));
    }

    let unseen = seen.unseen();
    println!("in the schema, and not seen on this day: {unseen:#?}");
    let missing: BTreeSet<_> = CORE.iter().filter(|name| !seen.has(name)).collect();
    assert!(missing.is_empty(), "not seen at all: {missing:#?}");
    assert!(
        seen.unknown.is_empty(),
        "not in docs/telemetry.yaml, whose head says how to add a name: {:#?}",
        seen.unknown
    );
}

const PARTS: [fn(&Shop) -> &Part; 4] = [
    |shop| &shop.order,
    |shop| &shop.payment,
    |shop| &shop.inventory,
    |shop| &shop.simulator,
];

/// In the order in which they stop: who calls before who is called.
const PARTS_MUT: [fn(&mut Shop) -> &mut Part; 4] = [
    |shop| &mut shop.order,
    |shop| &mut shop.payment,
    |shop| &mut shop.inventory,
    |shop| &mut shop.simulator,
];
