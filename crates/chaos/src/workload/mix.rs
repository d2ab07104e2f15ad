//! What is asked next. The dice are thrown by seed and number, so the same seed
//! asks for the same things as far as the shop answers the same.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::catalogue::Catalogue;
use super::known::{Known, UsedKey};
use crate::history::{Asked, NewOrder, Wanted};

const LINES_MAX: usize = 5;

/// Of a thousand arrivals. What has no order to work on creates one.
const WEIGHTS: [(u32, Kind); 9] = [
    (560, Kind::Create),
    (70, Kind::Cancel),
    (130, Kind::Fulfil),
    (60, Kind::Return),
    (45, Kind::Refund),
    (40, Kind::Adjust),
    (20, Kind::Act),
    (30, Kind::Watch),
    (45, Kind::Repeat),
];

/// Of a hundred cards.
const METHODS: [(u32, &str); 13] = [
    (55, "pm_card_visa"),
    (8, "pm_card_mastercard"),
    (4, "pm_card_chargeDeclined"),
    (3, "pm_card_chargeDeclinedInsufficientFunds"),
    (4, "pm_card_authenticationRequired"),
    (5, "pm_sim_timeout_but_succeeded"),
    (2, "pm_sim_timeout_and_failed"),
    (2, "pm_sim_slow_2s"),
    (5, "pm_sim_dup_webhook"),
    (4, "pm_sim_webhook_first"),
    (2, "pm_sim_capture_fails"),
    (3, "pm_sim_capture_timeout_but_succeeded"),
    (3, "pm_sim_refund_pending"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Cancel,
    Fulfil,
    Return,
    Refund,
    Adjust,
    Act,
    Watch,
    Repeat,
}

/// What one arrival does.
#[derive(Debug, Clone)]
pub enum Deed {
    Ask(Asked),
    /// The same key once more.
    Again(UsedKey),
    Watch {
        order: String,
    },
}

pub fn dice(seed: u64, number: u64) -> StdRng {
    // The golden ratio: neighbours get seeds that are far apart.
    StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub fn choose(known: &mut Known, catalogue: &Catalogue, dice: &mut StdRng) -> Deed {
    let kind = weighted(&WEIGHTS, dice);
    on_known(kind, known, catalogue, dice)
        .unwrap_or_else(|| Deed::Ask(Asked::Create(new_order(catalogue, dice))))
}

/// `None` when nothing is known that it could be done to.
fn on_known(
    kind: Kind,
    known: &mut Known,
    catalogue: &Catalogue,
    dice: &mut StdRng,
) -> Option<Deed> {
    let asked = match kind {
        Kind::Create => return None,
        Kind::Repeat => return known.take_key(dice).map(Deed::Again),
        Kind::Watch => {
            let order = known.peek_open(dice)?.id;
            return Some(Deed::Watch { order });
        }
        Kind::Adjust => adjust(catalogue, dice),
        Kind::Cancel => Asked::Cancel {
            order: known.take_open(dice)?.id,
        },
        Kind::Fulfil => fulfil(known, dice)?,
        Kind::Return => {
            let order = known.peek_shipped(dice)?;
            Asked::AnnounceReturn {
                lines: order.one_unit(dice),
                order: order.id,
                restock: dice.random_bool(0.6),
            }
        }
        Kind::Refund => refund(known, dice)?,
        Kind::Act => {
            let action = known.take_action(dice)?;
            Asked::Act {
                order: action.order,
                intent: action.intent,
                passes: dice.random_bool(0.8),
            }
        }
    };
    Some(Deed::Ask(asked))
}

fn fulfil(known: &mut Known, dice: &mut StdRng) -> Option<Asked> {
    let order = known.take_open(dice)?;
    let lines = match dice.random_bool(0.7) {
        true => Vec::new(),
        false => order.one_unit(dice),
    };
    let asked = Asked::Fulfil {
        order: order.id.clone(),
        lines: lines.clone(),
    };
    // Both may turn out to be refused: clients err.
    known.shipped(order.clone());
    if !lines.is_empty() {
        known.accepted(order);
    }
    Some(asked)
}

fn refund(known: &Known, dice: &mut StdRng) -> Option<Asked> {
    let order = match dice.random_bool(0.5) {
        true => known.peek_open(dice)?,
        false => known.peek_shipped(dice)?,
    };
    let most = (order.total_minor / 3).max(1);
    Some(Asked::Refund {
        order: order.id,
        amount_minor: dice.random_range(1..=most),
    })
}

/// Hot goods come in, and now and then a few are found broken.
fn adjust(catalogue: &Catalogue, dice: &mut StdRng) -> Asked {
    let hot = dice.random_bool(0.7);
    let skus = if hot {
        &catalogue.hot
    } else {
        &catalogue.plain
    };
    let sku = skus[dice.random_range(0..skus.len())].clone();
    let delta = match dice.random_bool(0.75) {
        true => dice.random_range(1..=20),
        false => -dice.random_range(1..=5),
    };
    Asked::Adjust { sku, delta }
}

fn new_order(catalogue: &Catalogue, dice: &mut StdRng) -> NewOrder {
    let lines = (0..dice.random_range(1..=LINES_MAX)).map(|_| {
        let hot = dice.random_bool(0.12);
        let skus = if hot {
            &catalogue.hot
        } else {
            &catalogue.plain
        };
        Wanted {
            sku: skus[dice.random_range(0..skus.len())].clone(),
            quantity: dice.random_range(1..=3),
        }
    });
    NewOrder {
        lines: lines.collect(),
        customer: format!("customer-{}", dice.random_range(0..500)),
        payment_method: weighted(&METHODS, dice).to_owned(),
        manual_capture: dice.random_bool(0.15),
        accepted_is_enough: dice.random_bool(0.15),
    }
}

/// Now and then a customer thinks better of it before the order is decided, and
/// the cancel runs against what it cancels.
pub fn is_cancelled_at_once(seed: u64, number: u64) -> bool {
    dice(!seed, number).random_bool(0.4)
}

fn weighted<T: Copy>(of: &[(u32, T)], dice: &mut StdRng) -> T {
    let all: u32 = of.iter().map(|(weight, _)| weight).sum();
    let mut left = dice.random_range(0..all);
    for (weight, one) in of {
        if left < *weight {
            return *one;
        }
        left -= weight;
    }
    of[0].1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workload::known::{Action, KnownOrder};

    fn knowing() -> Known {
        let mut known = Known::default();
        for number in 0..500 {
            let order = KnownOrder {
                id: format!("order-{number}"),
                quantities: vec![1, 2],
                total_minor: 1000,
            };
            known.accepted(order.clone());
            known.shipped(order.clone());
            known.waits_for_customer(Action {
                order: order.id.clone(),
                intent: "pi_1".to_owned(),
            });
            known.used(UsedKey {
                key: order.id.clone(),
                asked: Asked::Cancel { order: order.id },
            });
        }
        known
    }

    fn deeds(seed: u64) -> Vec<Deed> {
        let (mut known, catalogue) = (knowing(), Catalogue::new());
        let deeds = (0..1000).map(|number| choose(&mut known, &catalogue, &mut dice(seed, number)));
        deeds.collect()
    }

    #[test]
    fn the_same_seed_asks_for_the_same() {
        let of = |seed| format!("{:?}", deeds(seed));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn everything_is_asked_for() {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut hot, mut cards) = (0, BTreeMap::<String, usize>::new());
        for deed in deeds(1) {
            let kind = match &deed {
                Deed::Ask(asked) => asked.name(),
                Deed::Again(_) => "again",
                Deed::Watch { .. } => "watch",
            };
            *kinds.entry(kind).or_default() += 1;
            if let Deed::Ask(Asked::Create(order)) = deed {
                assert!((1..=LINES_MAX).contains(&order.lines.len()));
                let is_hot = |line: &Wanted| line.sku.starts_with("HOT");
                hot += usize::from(order.lines.iter().any(is_hot));
                *cards.entry(order.payment_method).or_default() += 1;
            }
        }
        assert_eq!(kinds.len(), 9, "{kinds:?}");
        assert!(kinds.values().all(|count| *count >= 5), "{kinds:?}");
        assert!(hot > 50, "{hot}");
        assert_eq!(cards.len(), METHODS.len(), "{cards:?}");
    }

    #[test]
    fn who_knows_no_order_makes_one() {
        let (mut known, catalogue) = (Known::default(), Catalogue::new());
        for number in 0..100 {
            let deed = choose(&mut known, &catalogue, &mut dice(1, number));
            let fits = matches!(deed, Deed::Ask(Asked::Create(_) | Asked::Adjust { .. }));
            assert!(fits, "{deed:?}");
        }
    }
}
