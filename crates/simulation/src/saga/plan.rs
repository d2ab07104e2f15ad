//! Which fault strikes at which moment.

use std::ops::ControlFlow;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Fault, Late, Outcome, Rules, WAYS, Way, play};

pub trait Plan {
    fn at(&mut self, moment: usize) -> Option<Fault>;
}

/// Written out in full.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<'a>(pub &'a [(usize, Fault)]);

impl Plan for Fixed<'_> {
    fn at(&mut self, moment: usize) -> Option<Fault> {
        let mut faults = self.0.iter();
        faults
            .find(|(at, _)| *at == moment)
            .map(|(_, fault)| *fault)
    }
}

/// Drawn from a seed: the way, how much goes wrong, and what.
#[derive(Debug)]
pub struct Dice {
    dice: StdRng,
    way: &'static Way,
    /// Of 100 moments.
    unlucky: u32,
}

/// From here on everything goes well, so that the saga can end.
const LUCKY_FROM: usize = 60;

impl Dice {
    pub fn roll(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        Self {
            way: &WAYS[dice.random_range(0..WAYS.len())],
            unlucky: dice.random_range(5..60),
            dice,
        }
    }

    pub fn way(&self) -> &'static Way {
        self.way
    }

    fn late(&mut self) -> Late {
        match self.dice.random_range(0..8) {
            0 | 1 => Late::AtTheEnd,
            moments => Late::After(moments),
        }
    }
}

impl Plan for Dice {
    fn at(&mut self, moment: usize) -> Option<Fault> {
        if moment >= LUCKY_FROM || self.dice.random_range(0..100) >= self.unlucky {
            return None;
        }
        let any = Fault::ALL[self.dice.random_range(0..Fault::ALL.len())];
        let late = self.late();
        Some(match any {
            Fault::LateCopy(_) => Fault::LateCopy(late),
            Fault::Delayed(_) => Fault::Delayed(late),
            Fault::FreezesBefore(_) => Fault::FreezesBefore(late),
            Fault::FreezesAfter(_) => Fault::FreezesAfter(late),
            Fault::CancelsElsewhere(_) => Fault::CancelsElsewhere(late),
            other => other,
        })
    }
}

/// Every fault at every moment of a way. `each` gets those that had an effect,
/// and says whether to go on.
pub fn singles(
    way: &Way,
    rules: &Rules,
    mut each: impl FnMut(&[(usize, Fault)], Outcome) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let undisturbed = play(way, rules, Fixed(&[]));
    for at in 0..undisturbed.moments {
        for fault in Fault::ALL {
            let plan = [(at, fault)];
            let outcome = play(way, rules, Fixed(&plan));
            if outcome.met {
                each(&plan, outcome)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Every pair of faults at every two moments of a way, the later being a moment
/// of the run that the earlier leads to.
pub fn pairs(
    way: &Way,
    rules: &Rules,
    mut each: impl FnMut(&[(usize, Fault)], Outcome) -> ControlFlow<()>,
) -> ControlFlow<()> {
    singles(way, rules, |first, outcome| {
        let (at, _) = first[0];
        for later in at + 1..outcome.moments {
            for fault in Fault::ALL {
                let plan = [first[0], (later, fault)];
                let outcome = play(way, rules, Fixed(&plan));
                if outcome.met {
                    each(&plan, outcome)?;
                }
            }
        }
        ControlFlow::Continue(())
    })
}
