//! Ten thousand orders under faults that their seeds decide.

use simulation::campaign::{Campaign, run};
use simulation::saga::{Dice, Rules, play};

#[test]
fn ten_thousand_random_sagas_keep_every_promise() {
    let report = run(&Campaign {
        sagas: 10_000,
        seed: 1,
    });
    assert!(report.pass, "{report}");
    assert!(report.faults > report.sagas, "little went wrong: {report}");
    for end in ["CONFIRMED", "FULFILLED", "CANCELLED", "REJECTED"] {
        assert!(report.ends.contains_key(end), "none ended {end}: {report}");
    }
}

#[test]
fn the_same_seed_plays_the_same_saga() {
    for seed in 0..50 {
        let once = |seed| {
            let dice = Dice::roll(seed);
            let outcome = play(dice.way(), &Rules::OURS, dice);
            // Ids of payments are made anew each time.
            let faults = outcome.faults();
            (outcome.end, outcome.moments, faults, outcome.broken)
        };
        assert_eq!(once(seed), once(seed));
    }
}
