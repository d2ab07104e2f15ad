//! The arithmetic of one bucket. `take.lua` does the same in Redis.
//!
//! Levels are counted in millionths of a unit and times in microseconds, so a
//! bucket drains by exactly `per_second` millionths each microsecond: all
//! numbers are whole, and nothing is lost or given away by rounding.

use crate::{Dimension, subject::Name};

/// One unit of cost.
pub(crate) const UNIT: u64 = 1_000_000;

/// What a call pours into one bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Take {
    pub(crate) dimension: Dimension,
    pub(crate) name: Name,
    pub(crate) per_second: u64,
    /// In millionths, like `amount`, which is not more than it.
    pub(crate) burst: u64,
    pub(crate) amount: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    level: u64,
    at_us: u64,
    /// When it will have drained, and can be forgotten.
    pub(crate) empty_at_us: u64,
}

impl Bucket {
    fn level(&self, take: &Take, now_us: u64) -> u64 {
        let drained = now_us
            .saturating_sub(self.at_us)
            .saturating_mul(take.per_second);
        // A quota that was lowered must not refuse for what was fine before.
        self.level.saturating_sub(drained).min(take.burst)
    }

    /// How long until there is room for the take; 0: now.
    pub(crate) fn wait_us(&self, take: &Take, now_us: u64) -> u64 {
        (self.level(take, now_us) + take.amount)
            .saturating_sub(take.burst)
            .div_ceil(take.per_second)
    }

    pub(crate) fn pour(&mut self, take: &Take, now_us: u64) {
        self.set(self.level(take, now_us) + take.amount, take, now_us);
    }

    pub(crate) fn give_back(&mut self, take: &Take, now_us: u64) {
        let level = self.level(take, now_us).saturating_sub(take.amount);
        self.set(level, take, now_us);
    }

    fn set(&mut self, level: u64, take: &Take, now_us: u64) {
        self.level = level;
        self.at_us = now_us;
        self.empty_at_us = now_us.saturating_add(level.div_ceil(take.per_second));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Quota, Settings, subject};
    use proptest::prelude::*;

    fn take(per_second: u32, burst: u32, cost: u32) -> Take {
        let settings = Settings {
            customer: Quota::new(per_second, burst),
            ..Settings::default()
        };
        subject::takes(&settings, &[(Dimension::Customer, "c")], cost)[0]
    }

    proptest! {
        #[test]
        fn in_no_window_more_is_admitted_than_the_burst_and_the_rate_allow(
            per_second in 1..100_000_u32,
            burst in 1..1_000_u32,
            calls in prop::collection::vec((0..2_000_000_u64, 1..1_200_u32), 1..60),
        ) {
            let mut bucket = Bucket::default();
            let mut now = 1;
            let mut admitted: Vec<(u64, u128)> = Vec::new();
            for (pause, cost) in calls {
                now += pause;
                let take = take(per_second, burst, cost);
                if bucket.wait_us(&take, now) == 0 {
                    bucket.pour(&take, now);
                    admitted.push((now, take.amount.into()));
                }
            }
            for (first, (start, _)) in admitted.iter().enumerate() {
                let mut sum = 0;
                for (end, amount) in &admitted[first..] {
                    sum += amount;
                    let most = u128::from(burst) * u128::from(UNIT)
                        + u128::from(end - start) * u128::from(per_second);
                    prop_assert!(sum <= most, "{sum} of {most}");
                }
            }
        }

        #[test]
        fn who_waits_as_told_is_admitted_and_who_comes_sooner_is_not(
            per_second in 1..100_000_u32,
            burst in 1..1_000_u32,
            costs in prop::collection::vec(1..1_200_u32, 1..60),
        ) {
            let mut bucket = Bucket::default();
            let mut now = 1;
            for cost in costs {
                let take = take(per_second, burst, cost);
                let wait = bucket.wait_us(&take, now);
                if wait > 0 {
                    prop_assert!(bucket.wait_us(&take, now + wait - 1) > 0);
                }
                now += wait;
                prop_assert_eq!(bucket.wait_us(&take, now), 0);
                bucket.pour(&take, now);
                prop_assert!(bucket.empty_at_us >= now);
            }
        }
    }

    #[test]
    fn the_largest_quota_overflows_nothing() {
        let take = take(u32::MAX, u32::MAX, u32::MAX);
        let mut bucket = Bucket::default();
        bucket.pour(&take, u64::MAX / 2);
        assert_eq!(bucket.wait_us(&take, u64::MAX / 2), UNIT);
        assert_eq!(bucket.wait_us(&take, u64::MAX), 0);
    }

    #[test]
    fn a_lowered_quota_waits_at_most_for_its_own_burst() {
        let mut bucket = Bucket::default();
        bucket.pour(&take(1_000, 100_000, 100_000), 1);
        let wait = bucket.wait_us(&take(1, 10, 1), 1);
        assert_eq!(wait, 1_000_000, "not a day");
    }
}
