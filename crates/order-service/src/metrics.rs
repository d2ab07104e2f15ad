//! What is counted of orders, each time after the commit that made it true. A
//! process that dies between the two counts one too few; no order is counted
//! twice, whatever is repeated.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use api::common::v1::ErrorReason;
use telemetry::metrics::{Counter, Gauge, Histogram, KeyValue, counter, gauge, histogram, observe};

use crate::domain::{Change, Kind, Order};

static CREATED: LazyLock<Counter> =
    LazyLock::new(|| counter("orders.created", "{order}", "Orders that were accepted."));
static CONFIRMED: LazyLock<Counter> =
    LazyLock::new(|| counter("orders.confirmed", "{order}", "Orders that were confirmed."));
static CANCELLED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "orders.cancelled",
        "{order}",
        "Orders that were cancelled, and undone.",
    )
});
static REJECTED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "orders.rejected",
        "{order}",
        "Orders that were refused after they were accepted, and undone.",
    )
});
static AMOUNT: LazyLock<Histogram> = LazyLock::new(|| {
    histogram(
        "order.amount",
        "{minor_unit}",
        "The totals of confirmed orders, in the smallest unit of their currency.",
        &[
            0.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8,
        ],
    )
});
static CLAIMED: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "sagas.claimed",
        "{saga}",
        "Sagas that a worker took over because their time had come or their process had died.",
    )
});
static AGE: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "saga.age",
        "s",
        "For how long the oldest unfinished saga is at what it is at; those that wait for the customer or a person do not count.",
    )
});
static NEEDING_ATTENTION: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "sagas.needing_attention",
        "{saga}",
        "Sagas that wait for a person.",
    )
});
static RUNNING: AtomicI64 = AtomicI64::new(0);
static RUNNING_IS_READ: LazyLock<()> = LazyLock::new(|| {
    observe(
        "sagas.running",
        "{saga}",
        "Sagas that this process works on now.",
        |running| running.set(RUNNING.load(Ordering::Relaxed) as f64, &[]),
    );
});

/// What this service says beside the reasons of the API.
const OWN_REASONS: [&str; 3] = ["PAYMENT_ACTION_TIMEOUT", "RESOLVED", "TIMED_OUT"];
const OTHER: &str = "OTHER";

/// Shows from the start that nothing has happened yet: of what is not there, no
/// rate is known.
pub fn announce() {
    for counter in [&CREATED, &CONFIRMED, &CANCELLED, &CLAIMED] {
        counter.add(0, &[]);
    }
    LazyLock::force(&RUNNING_IS_READ);
}

pub fn created(orders: usize) {
    CREATED.add(number(orders), &[]);
}

/// What a committed write made of an order.
pub fn changed(order: &Order, change: &Change) {
    match change.kind {
        Kind::Confirmed => {
            CONFIRMED.add(1, &[]);
            if let Some(total) = order.total {
                let labels = [KeyValue::new("currency", total.currency().code())];
                AMOUNT.record(total.minor() as f64, &labels);
            }
        }
        Kind::Rejected => {
            REJECTED.add(1, &[KeyValue::new("reason", reason(&change.reason.code))]);
        }
        Kind::Cancelled => CANCELLED.add(1, &[]),
        _ => {}
    }
}

pub fn claimed(sagas: usize) {
    CLAIMED.add(number(sagas), &[]);
}

/// What stands in the database.
pub fn standing(oldest: Duration, needing_attention: i64) {
    AGE.set(oldest.as_secs_f64(), &[]);
    NEEDING_ATTENTION.set(needing_attention as f64, &[]);
}

/// One run of a saga in this process.
#[derive(Debug)]
pub struct Running(());

impl Running {
    pub fn begin() -> Self {
        LazyLock::force(&RUNNING_IS_READ);
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of the reasons that are known: peers may say anything.
fn reason(code: &str) -> &'static str {
    let of_api = ErrorReason::from_str_name(&format!("ERROR_REASON_{code}"));
    let own = || OWN_REASONS.into_iter().find(|own| *own == code);
    of_api.map(ErrorReason::code).or_else(own).unwrap_or(OTHER)
}

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_nobody_knows_makes_no_series_of_its_own() {
        assert_eq!(reason("OUT_OF_STOCK"), "OUT_OF_STOCK");
        assert_eq!(reason("TIMED_OUT"), "TIMED_OUT");
        assert_eq!(reason("sku-4711 is gone"), OTHER);
        assert_eq!(reason(""), OTHER);
    }
}
