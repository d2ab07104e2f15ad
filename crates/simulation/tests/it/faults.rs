//! Every single fault at every moment of every way, and every pair of them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use simulation::saga::{Fault, Fixed, Outcome, Rules, WAYS, Way, pairs, play, singles};

fn assert_kept(way: &Way, plan: &[(usize, Fault)], outcome: &Outcome) {
    assert!(
        outcome.broken.is_empty(),
        "{} under {plan:?}: {:#?}\n{:#?}",
        way.name,
        outcome.broken,
        outcome.timeline()
    );
}

#[test]
fn undisturbed_every_way_ends_where_it_should() {
    for way in &WAYS {
        let outcome = play(way, &Rules::OURS, Fixed(&[]));
        assert_kept(way, &[], &outcome);
        assert_eq!(
            outcome.end,
            way.end,
            "{}: {:#?}",
            way.name,
            outcome.timeline()
        );
    }
}

#[test]
fn no_fault_at_any_moment_breaks_a_promise() {
    let mut met = HashSet::new();
    for way in &WAYS {
        let _ = singles(way, &Rules::OURS, |plan, outcome| {
            met.insert(plan[0].1);
            assert_kept(way, plan, &outcome);
            ControlFlow::Continue(())
        });
    }
    let idle: Vec<_> = Fault::ALL
        .iter()
        .filter(|fault| !met.contains(fault))
        .collect();
    assert!(idle.is_empty(), "these never made a difference: {idle:?}");
}

/// A test for each way, so that they run side by side.
macro_rules! pairs_of {
    ($($name:ident: $way:literal),+ $(,)?) => {
        const WITH_A_TEST: &[&str] = &[$($way),+];
        $(
            #[test]
            fn $name() {
                let way = Way::named($way).unwrap();
                let mut count = 0;
                let _ = pairs(way, &Rules::OURS, |plan, outcome| {
                    count += 1;
                    assert_kept(way, plan, &outcome);
                    ControlFlow::Continue(())
                });
                println!("{count} pairs made a difference");
                assert!(count > 100, "only {count} pairs made a difference");
            }
        )+
    };
}

mod no_pair_of_faults_breaks_a_promise {
    use super::*;

    pairs_of! {
        captured: "captured",
        authorized: "authorized",
        declined: "declined",
        out_of_stock: "out-of-stock",
        wrong_total: "wrong-total",
        free: "free",
        customer_acts: "customer-acts",
        customer_never_acts: "customer-never-acts",
        authorized_anew: "authorized-anew",
        never_captured: "never-captured",
        cancelled_after_capture: "cancelled-after-capture",
        cancelled_before_capture: "cancelled-before-capture",
        refunded_and_cancelled: "refunded-and-cancelled",
        shipped: "shipped",
        captured_when_shipped: "captured-when-shipped",
        returned: "returned",
        kept_out_of_the_shelf: "kept-out-of-the-shelf",
    }

    #[test]
    fn every_way_has_a_test() {
        let ways: Vec<_> = WAYS.iter().map(|way| way.name).collect();
        assert_eq!(WITH_A_TEST, ways);
    }
}
