//! Log lines that an attacker could multiply, at a rate that nobody can.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

const INTERVAL: Duration = Duration::from_secs(10);

/// Counts what happens and says now and then how often it did.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    count: u64,
    told: Option<Instant>,
}

impl Seldom {
    /// Counts one; how many there were since the last line, when it is time
    /// for one.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock();
        state.count += 1;
        if state.told.is_some_and(|told| now < told + INTERVAL) {
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_many_there_were_since_the_last() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.count_at(start), Some(1));
        for _ in 0..41 {
            assert_eq!(seldom.count_at(start + Duration::from_secs(9)), None);
        }
        assert_eq!(seldom.count_at(start + INTERVAL), Some(42));
        assert_eq!(seldom.count_at(start + INTERVAL), None);
    }
}
