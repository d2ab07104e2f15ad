//! What any seed gives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Counts, Fault, Planned, Terrain, asked, schedule};

fn terrain() -> Terrain {
    let link = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    Terrain {
        services: vec!["inventory-service", "payment-service", "order-service"],
        replicas: 2,
        links: vec![
            link("clients", "order-service/0"),
            link("webhooks", "payment-service"),
        ],
        points: vec![
            "order.saga.before_claim",
            "payment.a.before_b",
            "outbox.a.after_b",
        ],
    }
}

fn planned(seed: u64, minutes: u64) -> Vec<Planned> {
    let length = Duration::from_secs(60 * minutes);
    schedule(seed, length, &Counts::of(length), &terrain())
}

fn counts(planned: &[Planned]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for planned in planned {
        *counts.entry(planned.fault.kind()).or_default() += 1;
    }
    counts
}

#[test]
fn a_seed_gives_the_same_again_and_another_something_else() {
    assert_eq!(planned(7, 20), planned(7, 20));
    assert_ne!(planned(7, 20), planned(8, 20));
}

#[test]
fn twenty_minutes_have_what_is_asked_for() {
    let length = Duration::from_secs(1200);
    assert_eq!(asked(length), (300, 100));
    for seed in 0..50 {
        let counts = counts(&planned(seed, 20));
        // The start that arms an abort follows a kill.
        let kills = counts["kill"] + counts["failpoint abort"];
        assert!(kills >= 300, "{counts:?}");
        assert!(counts["failpoint abort"] >= 100, "{counts:?}");
        assert_eq!(counts.len(), 10, "{counts:?}");
    }
}

#[test]
fn a_short_run_is_not_denser_than_a_long_one() {
    let (long, short) = (planned(1, 20), planned(1, 3));
    let fire = |planned: &[Planned], lone: usize| {
        let before = &planned[..planned.len() - lone];
        let seconds = before.last().unwrap().at.as_secs_f64();
        before.len() as f64 / seconds
    };
    let (long, short) = (fire(&long, 20), fire(&short, 6));
    assert!(short < long * 1.3, "{short} and {long} a second");
}

#[test]
fn a_short_run_has_some_of_each() {
    for seed in 0..50 {
        assert_eq!(counts(&planned(seed, 3)).len(), 10);
    }
}

#[test]
fn faults_come_in_order_and_hardly_outlast_the_run() {
    for seed in 0..50 {
        let planned = planned(seed, 20);
        assert!(planned.is_sorted_by_key(|planned| planned.at));
        for planned in planned {
            let end = planned.at + planned.fault.length();
            assert!(end <= Duration::from_secs(1215), "{planned:?}");
        }
    }
}

#[test]
fn some_freezes_outlive_a_lease_and_none_takes_both_replicas() {
    for seed in 0..50 {
        let mut until = BTreeMap::new();
        let mut longer_than_lease = 0;
        for planned in planned(seed, 20) {
            let Fault::Freeze { target, length } = planned.fault else {
                continue;
            };
            assert!((1.0..=90.0).contains(&length.as_secs_f64()));
            longer_than_lease += usize::from(length > Duration::from_secs(6));
            let before = until.insert(target.service, planned.at + length);
            assert!(before.is_none_or(|before| before <= planned.at));
        }
        assert!(longer_than_lease >= 10);
    }
}

#[test]
fn the_last_kills_are_alone() {
    for seed in 0..50 {
        let planned = planned(seed, 20);
        let lone = &planned[planned.len() - 20..];
        for pair in lone.windows(2) {
            let end = pair[0].at + pair[0].fault.length();
            assert!(pair[1].at >= end + Duration::from_secs(10), "{pair:?}");
            assert_eq!(pair[1].fault.kind(), "kill");
        }
        let before = &planned[..planned.len() - 20];
        let last = before.iter().map(|one| one.at + one.fault.length()).max();
        assert!(last.unwrap() < lone[0].at);
    }
}

#[test]
fn a_point_of_one_service_is_reached_there_and_each_is_tried() {
    let planned = planned(1, 20);
    let mut seen = BTreeMap::<_, BTreeSet<_>>::new();
    for planned in planned {
        if let Fault::Abort { point, target, .. } = planned.fault {
            seen.entry(point).or_default().insert(target.service);
        }
    }
    let of_order: Vec<_> = seen["order.saga.before_claim"].iter().collect();
    assert_eq!(of_order, [&"order-service"]);
    assert_eq!(seen["outbox.a.after_b"].len(), 3);
    assert_eq!(seen.len(), 3);
}
