//! What is done to the shop, and when: decided by a seed before anything runs,
//! so that the same seed does the same again.

mod counts;
mod draw;
mod fault;

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

pub use self::counts::{Counts, asked};
pub use self::fault::{Fault, Planned, Target};

use self::draw::Draw;

/// What there is to be disturbed.
#[derive(Debug, Clone)]
pub struct Terrain {
    pub services: Vec<&'static str>,
    pub replicas: usize,
    /// Links between processes: from, to.
    pub links: Vec<(String, String)>,
    /// Names of failpoints, each of one service or of a crate that all have.
    pub points: Vec<&'static str>,
}

/// Faults in order of time, all within `length`.
pub fn schedule(seed: u64, length: Duration, counts: &Counts, terrain: &Terrain) -> Vec<Planned> {
    let peace = draw::peace(counts.lone_kills);
    let draw = Draw {
        // The algorithm is named: it must not change with a library's version.
        rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        length: length.saturating_sub(peace),
        terrain,
    };
    let mut planned = draw.all(counts);
    planned.sort_by_key(|planned| planned.at);
    planned
}

#[cfg(test)]
mod tests;
