//! How long the shop needs after a restart: until the last saga has ended that
//! was open when the process was back; orders for which the provider keeps
//! silent are left out. By the events of orders, whose times are the database's.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::books_orders::{EventRow, Orders};
use super::evidence::{Circumstances, Fault};

/// Over all restarts that found a saga open.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovery {
    pub restarts: usize,
    /// No saga was open then.
    pub found_nothing_open: usize,
    /// A saga that was open then has never ended.
    pub never_ended: usize,
    pub all: Times,
    /// Those in whose time nothing else was broken.
    pub undisturbed: Times,
    /// The slowest, undisturbed ones first.
    pub slowest: Vec<Recovered>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    pub count: usize,
    pub p50_s: f64,
    pub p99_s: f64,
    pub max_s: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Recovered {
    pub what: String,
    pub at: DateTime<Utc>,
    pub took_s: f64,
    pub last_order: String,
    /// What happened to it, in seconds from the restart.
    pub last_order_events: Vec<(f64, String)>,
    pub sagas: usize,
    pub disturbed_by: Option<String>,
}

/// In the names of the payment methods at which the provider keeps silent: such an
/// order waits until the provider's time is over, restart or not.
const SILENT: &str = "timeout";
const SLOWEST: usize = 5;
/// What breaks later than this after a restart is no excuse: the shop should
/// have recovered by then.
const EXCUSED_FOR: TimeDelta = TimeDelta::seconds(10);

/// A time in which a saga had work to do.
#[derive(Debug)]
struct Open<'a> {
    order: &'a str,
    from: DateTime<Utc>,
    /// None: it has not ended.
    until: Option<DateTime<Utc>>,
}

pub fn measure(orders: &Orders, circumstances: &Circumstances) -> Recovery {
    let open: Vec<Open<'_>> = orders
        .orders
        .values()
        .filter(|order| !order.payment_method.contains(SILENT))
        .flat_map(|order| {
            let automatic = order.capture_method == 1;
            open_times(&order.id, orders.events(&order.id), automatic)
        })
        .collect();
    let mut recovery = Recovery {
        restarts: circumstances.restarts.len(),
        ..Recovery::default()
    };
    let mut recovered = Vec::new();
    for restart in &circumstances.restarts {
        let at = restart.at;
        let then = open.iter().filter(|open| open.from <= at);
        let then: Vec<_> = then
            .filter(|o| o.until.is_none_or(|end| end > at))
            .collect();
        let Some(last) = then
            .iter()
            .max_by_key(|o| o.until.unwrap_or(DateTime::<Utc>::MAX_UTC))
        else {
            recovery.found_nothing_open += 1;
            continue;
        };
        let Some(until) = last.until else {
            recovery.never_ended += 1;
            continue;
        };
        recovered.push(Recovered {
            what: restart.what.clone(),
            at,
            took_s: (until - at).as_seconds_f64(),
            last_order: last.order.to_owned(),
            last_order_events: Vec::new(),
            sagas: then.len(),
            disturbed_by: disturbed(&circumstances.faults, at, until.min(at + EXCUSED_FOR)),
        });
    }
    let undisturbed = recovered.iter().filter(|one| one.disturbed_by.is_none());
    recovery.undisturbed = times(undisturbed.map(|one| one.took_s).collect());
    recovery.all = times(recovered.iter().map(|one| one.took_s).collect());
    recovered.sort_by(|a, b| b.took_s.total_cmp(&a.took_s));
    recovered.sort_by_key(|one| one.disturbed_by.is_some());
    recovered.truncate(SLOWEST);
    for one in &mut recovered {
        let events = orders.events(&one.last_order).iter();
        let since = |event: &EventRow| (event.at - one.at).as_seconds_f64();
        one.last_order_events = events
            .map(|event| (since(event), event.kind.clone()))
            .collect();
    }
    recovery.slowest = recovered;
    recovery
}

fn disturbed(faults: &[Fault], from: DateTime<Utc>, until: DateTime<Utc>) -> Option<String> {
    let mut others = faults
        .iter()
        .filter(|fault| fault.until > from && fault.from < until);
    others.next().map(|fault| fault.what.clone())
}

/// When an order's saga had work, by what happened to it. `automatic`: its money
/// is taken as soon as it is confirmed.
fn open_times<'a>(order: &'a str, events: &[EventRow], automatic: bool) -> Vec<Open<'a>> {
    let mut times: Vec<Open<'a>> = Vec::new();
    let mut placing = false;
    let mut works = 0_i32;
    for event in events {
        match event.kind.as_str() {
            "placed" | "compensating" | "resumed" | "payment_retried" | "payment_authorized" => {
                placing = true;
            }
            "confirmed" => placing = automatic,
            "payment_action_required" | "payment_captured" => {
                placing = event.to_state == super::books_orders::COMPENSATING;
            }
            "cancelled" | "rejected" | "needs_attention" => {
                placing = false;
                works = 0;
            }
            "fulfillment_requested" | "return_received" | "refund_requested" => works += 1,
            "fulfilled" | "fulfillment_failed" | "returned" | "return_failed" | "refunded"
            | "refund_failed" => works = (works - 1).max(0),
            _ => {}
        }
        let is_open = placing || works > 0;
        let was_open = times.last().is_some_and(|open| open.until.is_none());
        match (was_open, is_open) {
            (false, true) => times.push(Open {
                order,
                from: event.at,
                until: None,
            }),
            (true, false) => {
                if let Some(open) = times.last_mut() {
                    open.until = Some(event.at);
                }
            }
            _ => {}
        }
    }
    times
}

fn times(mut seconds: Vec<f64>) -> Times {
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        // The smallest that is not below so many of all.
        let place = (seconds.len() * percent).div_ceil(100).saturating_sub(1);
        seconds.get(place).copied().unwrap_or(0.0)
    };
    Times {
        count: seconds.len(),
        p50_s: at(50),
        p99_s: at(99),
        max_s: at(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn open(happened: &[(i64, &str, i16)]) -> Vec<(i64, Option<i64>)> {
        let events: Vec<EventRow> = happened
            .iter()
            .map(|(second, kind, to)| EventRow::for_test(kind, *to, at(*second)))
            .collect();
        let open = open_times("o", &events, true);
        let second = |time: DateTime<Utc>| time.timestamp();
        let times = open.iter().map(|o| (second(o.from), o.until.map(second)));
        times.collect()
    }

    #[test]
    fn an_order_is_open_until_its_money_is_taken() {
        let order = [
            (1, "placed", 1),
            (2, "confirmed", 3),
            (4, "payment_captured", 3),
        ];
        assert_eq!(open(&order), [(1, Some(4))]);
        assert_eq!(open(&order[..2]), [(1, None)]);
    }

    #[test]
    fn waiting_for_the_customer_is_not_open_and_a_shipment_is() {
        let order = [
            (1, "placed", 1),
            (2, "payment_action_required", 2),
            (60, "compensating", 6),
            (61, "payment_captured", 6),
            (62, "rejected", 8),
        ];
        assert_eq!(open(&order), [(1, Some(2)), (60, Some(62))]);
        let order = [
            (1, "placed", 1),
            (2, "payment_captured", 3),
            (5, "fulfillment_requested", 3),
            (6, "refund_requested", 3),
            (7, "fulfilled", 5),
            (9, "refunded", 5),
        ];
        assert_eq!(open(&order), [(1, Some(2)), (5, Some(9))]);
    }

    #[test]
    fn quantiles_are_those_of_the_times() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        let times = times(hundred);
        assert_eq!((times.p50_s, times.p99_s, times.max_s), (50.0, 99.0, 100.0));
        assert_eq!(super::times(Vec::new()), Times::default());
        assert_eq!(super::times(vec![3.0]).p99_s, 3.0);
    }
}
