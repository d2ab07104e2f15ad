//! How many faults of each kind.

use std::time::Duration;

use super::draw::peace;

/// What the numbers below are for.
const LENGTH: Duration = Duration::from_secs(20 * 60);
const LONE_KILLS: usize = 20;
/// At least so many, however short a run is.
const LONE_KILLS_MIN: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub kills: usize,
    pub aborts: usize,
    pub terminations: usize,
    pub freezes: usize,
    pub postgres_kills: usize,
    pub postgres_stops: usize,
    pub redis_kills: usize,
    pub redis_flushes: usize,
    pub network: usize,
    pub provider: usize,
    /// Kills in peace after all else, far enough apart to see how long the shop
    /// needs after each.
    pub lone_kills: usize,
}

impl Counts {
    /// 300 kills and 100 aborts in 20 minutes, and as many a minute in a shorter
    /// run, but for its end in peace.
    /// The start that arms an abort follows a kill. A point may stand where
    /// nobody comes by in time, so more are planned than are asked for.
    pub fn of(length: Duration) -> Self {
        Self {
            kills: 130,
            aborts: 175,
            terminations: 40,
            freezes: 40,
            postgres_kills: 10,
            postgres_stops: 10,
            redis_kills: 12,
            redis_flushes: 12,
            network: 80,
            provider: 60,
            lone_kills: lone_kills(length),
        }
        .scaled(length)
    }

    fn scaled(self, length: Duration) -> Self {
        let share = under_fire(length).as_secs_f64() / under_fire(LENGTH).as_secs_f64();
        let scale = |count: usize| scaled(count, share);
        Self {
            kills: scale(self.kills),
            aborts: scale(self.aborts),
            terminations: scale(self.terminations),
            freezes: scale(self.freezes),
            postgres_kills: scale(self.postgres_kills),
            postgres_stops: scale(self.postgres_stops),
            redis_kills: scale(self.redis_kills),
            redis_flushes: scale(self.redis_flushes),
            network: scale(self.network),
            provider: scale(self.provider),
            ..self
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small counts"
)]
fn scaled(count: usize, share: f64) -> usize {
    (count as f64 * share).ceil() as usize
}

fn lone_kills(length: Duration) -> usize {
    let share = length.as_secs_f64() / LENGTH.as_secs_f64();
    scaled(LONE_KILLS, share).max(LONE_KILLS_MIN)
}

/// What is left of a run for all that comes before the kills in peace.
fn under_fire(length: Duration) -> Duration {
    length.saturating_sub(peace(lone_kills(length)))
}

/// What must have happened for a run to say anything: kills and aborts.
pub fn asked(length: Duration) -> (usize, usize) {
    let asked = Counts {
        kills: 300,
        aborts: 100,
        ..Counts::default()
    };
    let asked = asked.scaled(length);
    (asked.kills, asked.aborts)
}
