//! A simulation that cannot fail proves nothing: each rule that is broken on
//! purpose breaks a promise, under one fault or under two.

use std::ops::ControlFlow;

use simulation::saga::{BROKEN, Dice, Fault, Fixed, Outcome, Rules, WAYS, pairs, play, singles};

/// The first way and faults under which something breaks, the fewest faults
/// first.
fn first_find(rules: &Rules) -> Option<String> {
    let mut found = None;
    let mut look = |way: &str, plan: &[(usize, Fault)], outcome: Outcome| {
        if outcome.broken.is_empty() {
            return ControlFlow::Continue(());
        }
        found = Some(format!("{way} {plan:?}: {:?}", outcome.broken));
        ControlFlow::Break(())
    };
    let _ = (|| {
        for way in &WAYS {
            look(way.name, &[], play(way, rules, Fixed(&[])))?;
        }
        for way in &WAYS {
            singles(way, rules, |plan, outcome| look(way.name, plan, outcome))?;
        }
        for way in &WAYS {
            pairs(way, rules, |plan, outcome| look(way.name, plan, outcome))?;
        }
        ControlFlow::Continue(())
    })();
    found
}

#[test]
fn every_broken_rule_is_found_by_at_most_two_faults() {
    let mut missed = Vec::new();
    for rules in BROKEN {
        match first_find(rules) {
            Some(found) => println!("{}\n    {found}", rules.name),
            None => missed.push(rules.name),
        }
    }
    assert!(missed.is_empty(), "nobody noticed: {missed:#?}");
}

#[test]
fn random_sagas_find_every_broken_rule_too() {
    let mut missed = Vec::new();
    for rules in BROKEN {
        let found = (0..4_000).find(|seed| {
            let dice = Dice::roll(*seed);
            !play(dice.way(), rules, dice).broken.is_empty()
        });
        match found {
            Some(seed) => println!("{}: seed {seed}", rules.name),
            None => missed.push(rules.name),
        }
    }
    assert!(missed.is_empty(), "nobody noticed: {missed:#?}");
}
