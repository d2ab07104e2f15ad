//! How many calls may run at once, learnt from how long they take: a service
//! that takes in more than it can do answers all of it later and later, until
//! nobody is served in time.
//!
//! Each kind of call is compared with itself when there is little to do: what it
//! takes beyond that, it has waited. The limit is steered so that calls wait for
//! about as long as they may. It follows use at a distance, so that many more
//! calls than a moment ago are not let in all at once, before the first of them
//! tells how it went. Slowness that little work does not cure is not of our
//! making, and becomes the usual.

use std::{collections::HashMap, sync::Arc, time::Duration};

/// Calls that take about equally long: those of one method.
pub(crate) type Kind = Arc<str>;

/// So many may run at once in a service that had little to do.
const START: f64 = 64.0;
/// Below so many nothing is refused: so few do no harm.
const LEAST: f64 = 16.0;
/// What is decided from.
const WINDOW: Duration = Duration::from_millis(250);
const SAMPLES_MIN: u32 = 20;
/// Of the wait that is allowed, so much is aimed at.
const AIM: f64 = 0.75;
/// In one step the limit becomes so many times itself, at least and at most.
const FALL: f64 = 0.7;
const RISE: f64 = 1.25;
/// How far above use it stays when there is no trouble, and how it goes there.
const ROOM: f64 = 2.0;
const APPROACH: f64 = 0.1;
/// Per window: how the usual follows quicker calls, and slower ones.
const QUICKER: f64 = 0.3;
const SLOWER: f64 = 1.1;

#[derive(Debug)]
pub(super) struct Limit {
    now: f64,
    least: f64,
    most: f64,
    /// Seconds that calls may wait.
    allowed: f64,
    kinds: HashMap<Kind, Times>,
    /// Windows in a row with as few calls as can be.
    at_least: u32,
    /// Since the window began.
    passed: Duration,
    samples: u32,
}

/// What was seen in a window beside the calls that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// At most so many ran or waited at once.
    pub(super) peak: usize,
    /// At least one was turned away.
    pub(super) refused: bool,
}

#[derive(Debug, Default)]
struct Times {
    /// Seconds that a call takes when there is little to do.
    usual: Option<f64>,
    sum: f64,
    count: u32,
}

impl Times {
    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count)
    }

    fn waited(&self) -> f64 {
        let mean = self.mean();
        (mean - self.usual.unwrap_or(mean)).max(0.0)
    }
}

impl Limit {
    pub(super) fn new(most: usize, allowed: Duration) -> Self {
        let most = float(most);
        Self {
            now: START.min(most),
            least: LEAST.min(most),
            most,
            allowed: allowed.as_secs_f64().max(0.001),
            kinds: HashMap::new(),
            at_least: 0,
            passed: Duration::ZERO,
            samples: 0,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and what was given as a count"
    )]
    pub(super) fn now(&self) -> usize {
        self.now as usize
    }

    /// A call of this kind has ended, so long after the last one. Whether
    /// enough is known to decide anew.
    pub(super) fn ended(&mut self, kind: &Kind, took: Duration, after: Duration) -> bool {
        let times = self.kinds.entry(kind.clone()).or_default();
        times.sum += took.as_secs_f64();
        times.count += 1;
        self.samples += 1;
        self.passed += after;
        self.passed >= WINDOW && self.samples >= SAMPLES_MIN
    }

    #[cfg(test)]
    pub(super) fn samples(&self) -> u32 {
        self.samples
    }

    /// Ends the window.
    pub(super) fn decide(&mut self, seen: Seen) {
        let waited = self.waited() / (self.allowed * AIM);
        let few = self.now <= self.least;
        self.at_least = if few { self.at_least + 1 } else { 0 };
        let peak = float(seen.peak);
        self.learn(peak);
        self.now = if waited > 1.0 {
            self.now * waited.recip().max(FALL)
        } else if seen.refused || peak >= self.now {
            self.now * waited.recip().min(RISE)
        } else {
            let goal = (peak * ROOM).max(START);
            self.now + (goal - self.now) * APPROACH
        }
        .clamp(self.least, self.most);
        self.passed = Duration::ZERO;
        self.samples = 0;
    }

    /// What calls usually take. That those that run are slow may be our own doing,
    /// unless so few run that it cannot be. Where the limit has come down to so few
    /// it is believed at once, but for the first window: some began among more.
    fn learn(&mut self, peak: f64) {
        let (few, kept_few) = (peak <= self.least, self.at_least > 1);
        for times in self.kinds.values_mut().filter(|times| times.count > 0) {
            let mean = times.mean();
            let usual = times.usual.unwrap_or(mean);
            times.usual = Some(match mean < usual {
                true => usual + (mean - usual) * QUICKER,
                false if kept_few => mean,
                false if few => mean.min(usual * SLOWER),
                false => usual,
            });
            (times.sum, times.count) = (0.0, 0);
        }
    }

    /// Seconds that calls waited in the window; each kind counts by the time
    /// that it held places.
    fn waited(&self) -> f64 {
        let kinds = self.kinds.values().filter(|times| times.count > 0);
        let (waited, held) = kinds.fold((0.0, 0.0), |(waited, held), times| {
            (waited + times.waited() * times.sum, held + times.sum)
        });
        waited / held.max(f64::MIN_POSITIVE)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody runs so many calls")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(20);
    const ALLOWED: Duration = Duration::from_millis(200);
    const TICK: Duration = Duration::from_millis(1);

    /// A service that ends `per_second` calls when it has enough of them, none
    /// quicker than `base`; `wanted` callers at once. How many it did.
    fn serve(limit: &mut Limit, seconds: u32, wanted: usize, base: Duration, most: u32) -> f64 {
        let mut done = 0.0;
        let mut owed = 0.0;
        for _ in 0..seconds * 1000 {
            let running = wanted.min(limit.now());
            let rate = f64::from(most).min(float(running) / base.as_secs_f64());
            owed += rate * TICK.as_secs_f64();
            let took = Duration::from_secs_f64(float(running) / rate);
            let seen = Seen {
                peak: running,
                refused: wanted > running,
            };
            let mut after = TICK;
            while owed >= 1.0 {
                (owed, done) = (owed - 1.0, done + 1.0);
                if limit.ended(&"create".into(), took, after) {
                    limit.decide(seen);
                }
                after = Duration::ZERO;
            }
            limit.passed += after;
        }
        done / f64::from(seconds)
    }

    fn limit() -> Limit {
        Limit::new(1024, ALLOWED)
    }

    #[test]
    fn without_trouble_all_may_run_that_are_allowed() {
        let mut limit = limit();
        serve(&mut limit, 20, 1024, BASE, 1_000_000);
        assert_eq!(limit.now(), 1024);
    }

    #[test]
    fn under_more_than_it_can_do_calls_wait_for_about_as_long_as_they_may() {
        let mut limit = limit();
        serve(&mut limit, 5, 10, BASE, 1000);
        let done = serve(&mut limit, 60, 5000, BASE, 1000);
        assert!(done > 990.0, "{done} calls a second");
        let left = limit.now();
        // 20 ms of work, and 150 of 200 ms of waiting.
        assert!((150..=200).contains(&left), "{left} run at once");
    }

    #[test]
    fn more_than_a_moment_ago_is_let_in_step_by_step() {
        let mut limit = limit();
        serve(&mut limit, 20, 10, BASE, 1000);
        assert_eq!(limit.now(), 64);
        serve(&mut limit, 60, 400, BASE, 1_000_000);
        let room = limit.now();
        assert!((780..=800).contains(&room), "{room} may come");
    }

    #[test]
    fn when_the_trouble_is_over_all_may_run_again() {
        let mut limit = limit();
        serve(&mut limit, 5, 10, BASE, 100);
        serve(&mut limit, 30, 5000, BASE, 100);
        assert!(limit.now() < 40, "{} run", limit.now());
        serve(&mut limit, 20, 1024, BASE, 1_000_000);
        assert_eq!(limit.now(), 1024);
    }

    #[test]
    fn slowness_that_is_not_ours_becomes_the_usual() {
        let mut limit = limit();
        serve(&mut limit, 5, 100, BASE, 1_000_000);
        serve(&mut limit, 60, 100, BASE * 50, 1_000_000);
        assert!(limit.now() >= 100, "only {} run", limit.now());
    }

    #[test]
    fn what_holds_places_for_long_counts_for_more_than_many_quick_calls() {
        let mut limit = limit();
        let seen = Seen {
            peak: 200,
            refused: true,
        };
        for slow in [20, 20, 20, 20, 2000] {
            for _ in 0..90 {
                limit.ended(&"get".into(), Duration::from_millis(2), TICK);
            }
            for _ in 0..10 {
                limit.ended(&"create".into(), Duration::from_millis(slow), TICK);
            }
            limit.decide(seen);
        }
        // Four steps up, and one down.
        let expected = (64.0 * RISE.powi(4) * FALL) as usize;
        assert_eq!(limit.now(), expected);
    }

    #[test]
    fn few_are_never_refused() {
        let mut limit = limit();
        for wait in 1..500 {
            limit.ended(&"create".into(), BASE * wait, TICK);
            limit.decide(Seen {
                peak: 16,
                refused: true,
            });
        }
        assert!(limit.now() >= 16);
        assert_eq!(Limit::new(2, ALLOWED).now(), 2);
    }
}
