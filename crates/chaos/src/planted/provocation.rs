//! What brings each bug to light.

use std::time::Duration;

use payment_simulator::faults::{FaultSet, Operation};

use super::refunds;
use crate::proxy::Conditions;
use crate::run::Beside;
use crate::schedule::{Fault, Planned, Target};
use crate::shop::{INVENTORY, ORDER, PAYMENT, SERVICES};

const LENGTH: Duration = Duration::from_secs(50);
/// Nothing happens before.
const BEGINNING: Duration = Duration::from_secs(4);

pub(super) struct Provocation {
    pub what: &'static str,
    pub length: Duration,
    pub rate: f64,
    pub faults: Vec<Planned>,
    pub beside: Option<Beside>,
    /// Checks that it breaks by itself.
    pub ignored: &'static [&'static str],
}

impl Provocation {
    fn by(what: &'static str, faults: Vec<Planned>) -> Self {
        Self {
            what,
            length: LENGTH,
            rate: 20.0,
            faults,
            beside: None,
            ignored: &[],
        }
    }
}

/// # Panics
/// If nobody has said yet what provokes it.
pub(super) fn of(bug: &str) -> Provocation {
    match bug {
        "skip-fencing" => Provocation::by("frozen order-service", zombies()),
        "acknowledge-before-commit" => Provocation::by(
            "aborts",
            aborts(ORDER, &["idempotency.verb.before_commit"], 40),
        ),
        "outbox-by-cursor" => Provocation::by("a slow Postgres", slow_postgres()),
        "delete-before-publish" => Provocation::by("a Redis that is away", without_redis()),
        "no-tombstone" => Provocation::by("slow ways to peers", slow_peers()),
        "dedupe-before-effect" => Provocation::by(
            "aborts",
            aborts(INVENTORY, &["idempotency.verb.before_commit"], 40),
        ),
        "blind-retry-new-key" => Provocation::by("answers that are lost", lost_answers()),
        "no-row-lock-on-refund" => double_refunds(),
        "undo-not-idempotent" => {
            Provocation::by("aborts", aborts(ORDER, &["order.refund.after_call"], 0))
        }
        "expiry-ignores-commit" | "cancelled-begin" => Provocation::by("load", Vec::new()),
        unknown => panic!("what provokes {unknown}?"),
    }
}

/// Everything that provokes a bug, but for refunds past the orders.
pub(super) fn all_at_once() -> Provocation {
    let mut faults = Vec::new();
    for (number, some) in [
        zombies(),
        aborts(
            ORDER,
            &["idempotency.verb.before_commit", "order.refund.after_call"],
            20,
        ),
        slow_postgres(),
        without_redis(),
        slow_peers(),
        aborts(INVENTORY, &["idempotency.verb.before_commit"], 40),
        lost_answers(),
    ]
    .into_iter()
    .enumerate()
    {
        let later = Duration::from_secs(15) * u32::try_from(number).unwrap_or(0);
        faults.extend(some.into_iter().map(|one| Planned {
            at: one.at + later,
            ..one
        }));
    }
    faults.sort_by_key(|one| one.at);
    Provocation {
        // Calm at the end, so that there is something to look at.
        length: LENGTH * 4,
        ..Provocation::by("all that provokes", faults)
    }
}

/// Money goes back past the orders, so that they know nothing of it, and who
/// cancels one of them needs a person.
pub(super) fn double_refunds() -> Provocation {
    Provocation {
        beside: Some(refunds::two_at_once),
        ignored: &[
            "orders-and-payments",
            "acknowledged-cancels",
            "acknowledged-refunds",
            "acknowledged-returns",
            "stock-adds-up",
        ],
        ..Provocation::by("refunds two at a time", Vec::new())
    }
}

fn target(service: &'static str, replica: usize) -> Target {
    Target { service, replica }
}

/// Each replica in turn stands still for longer than its leases, in the middle
/// of sagas that wait for the provider.
fn zombies() -> Vec<Planned> {
    let slow = FaultSet {
        delay_ms: 700,
        ..FaultSet::default()
    };
    let mut planned = vec![Planned {
        at: Duration::ZERO,
        fault: Fault::Provider {
            faults: slow,
            length: LENGTH,
        },
    }];
    for turn in 0..4 {
        planned.push(Planned {
            at: BEGINNING + Duration::from_secs(11) * turn,
            fault: Fault::Freeze {
                target: target(ORDER, turn as usize % 2),
                length: Duration::from_millis(9_500),
            },
        });
    }
    planned
}

/// At each point several times, at both replicas, after `passes` and fewer.
fn aborts(service: &'static str, points: &[&'static str], passes: u32) -> Vec<Planned> {
    let mut planned = Vec::new();
    for turn in 0..8 {
        planned.push(Planned {
            at: BEGINNING + Duration::from_secs(5) * turn,
            fault: Fault::Abort {
                target: target(service, turn as usize % 2),
                point: points[turn as usize % points.len()],
                passes: passes * (turn % 4) / 4,
            },
        });
    }
    planned
}

fn slow_postgres() -> Vec<Planned> {
    let conditions = Conditions {
        jitter: Duration::from_millis(60),
        ..Conditions::default()
    };
    let of_service = |service: &'static str| {
        let conditions = conditions.clone();
        (0..2).map(move |replica| network(service, replica, "postgres", conditions.clone()))
    };
    SERVICES.into_iter().flat_map(of_service).collect()
}

fn network(service: &str, replica: usize, to: &str, conditions: Conditions) -> Planned {
    Planned {
        at: BEGINNING,
        fault: Fault::Network {
            from: format!("{service}/{replica}"),
            to: to.to_owned(),
            conditions,
            reset: false,
            length: LENGTH - BEGINNING,
        },
    }
}

fn without_redis() -> Vec<Planned> {
    let mut planned = Vec::new();
    for turn in 0..4 {
        planned.push(Planned {
            at: BEGINNING + Duration::from_secs(9) * turn,
            fault: Fault::RedisKill {
                pause: Duration::from_secs(2),
            },
        });
    }
    for (service, at) in SERVICES.into_iter().zip([6, 16, 26]) {
        planned.push(Planned {
            at: Duration::from_secs(at),
            fault: Fault::Abort {
                target: target(service, 0),
                point: "outbox.relay.before_publish",
                passes: 10,
            },
        });
    }
    planned.sort_by_key(|one| one.at);
    planned
}

/// What is sent to one replica arrives after its caller has given up, and gone
/// to the other.
fn slow_peers() -> Vec<Planned> {
    let late = Conditions {
        latency: Duration::from_millis(2_600),
        ..Conditions::default()
    };
    let mut planned = Vec::new();
    for from in 0..2 {
        for peer in [INVENTORY, PAYMENT] {
            planned.push(network(ORDER, from, &format!("{peer}/0"), late.clone()));
        }
    }
    planned
}

fn lost_answers() -> Vec<Planned> {
    let lost = FaultSet {
        lose_answers: [
            (Operation::CreatePaymentIntent, 15),
            (Operation::CreateRefund, 15),
        ]
        .into(),
        ..FaultSet::default()
    };
    let mut planned = Vec::new();
    for turn in 0..3 {
        planned.push(Planned {
            at: BEGINNING + Duration::from_secs(12) * turn,
            fault: Fault::Provider {
                faults: lost.clone(),
                length: Duration::from_secs(8),
            },
        });
    }
    let points = ["payment.authorize.after_call", "payment.refund.after_call"];
    planned.extend(aborts(PAYMENT, &points, 3));
    planned.sort_by_key(|one| one.at);
    planned
}

#[cfg(test)]
mod tests {
    use failpoint::{BUGS, NAMES};

    use super::*;

    #[test]
    fn every_bug_has_its_provocation() {
        for bug in BUGS {
            let provocation = of(bug.name);
            assert!(provocation.rate > 0.0, "{}", bug.name);
            let faults = &provocation.faults;
            assert!(faults.is_sorted_by_key(|one| one.at), "{}", bug.name);
        }
    }

    #[test]
    fn every_point_that_is_armed_exists() {
        let all = BUGS.iter().map(|bug| of(bug.name)).chain([all_at_once()]);
        for planned in all.flat_map(|provocation| provocation.faults) {
            if let Fault::Abort { point, .. } = planned.fault {
                assert!(NAMES.contains(&point), "{point}");
            }
        }
    }
}
