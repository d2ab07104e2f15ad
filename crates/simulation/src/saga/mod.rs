//! One order from its placing to its end, under a plan of faults.
//!
//! The reconciler's loop is that of order-service: decide, ask, take in, write,
//! under a claim with an epoch. A **moment** is one turn of that loop; a plan
//! says what goes wrong at which.

mod ask;
mod command;
mod fault;
mod late;
mod plan;
mod rules;
mod suffer;
mod verdict;
mod way;
mod world;

pub use fault::{Fault, Late};
pub use plan::{Dice, Fixed, Plan, pairs, singles};
pub use rules::{BROKEN, Rules};
pub use way::{Ask, Customer, WAYS, Way};
pub use world::{Note, Outcome, World, play};
