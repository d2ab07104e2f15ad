//! When to try earlier than planned. A saga that failed often waits for long;
//! once the peers answer again, what waited for them needs to wait no more. It
//! is called in step by step, so that a peer that is just back is not run over.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

const WINDOW: Duration = Duration::from_millis(500);
/// In good times less than one call in so many finds a peer in trouble.
const TROUBLED: u32 = 10;

#[derive(Debug)]
pub(super) struct Ahead(Mutex<Outlook>);

#[derive(Debug)]
struct Outlook {
    since: Instant,
    calls: u32,
    troubles: u32,
    /// None: all is well, and whoever waits has a trouble of its own.
    ahead: Option<Duration>,
}

impl Ahead {
    /// What waits at a start has waited for a process that died.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Outlook {
            since: Instant::now(),
            calls: 0,
            troubles: 0,
            ahead: Some(Duration::ZERO),
        }))
    }

    /// A peer was called.
    pub(super) fn called(&self, is_in_trouble: bool) {
        let mut outlook = self.0.lock();
        outlook.calls += 1;
        outlook.troubles += u32::from(is_in_trouble);
    }

    /// Sagas that failed may begin so much earlier than they were to. Doubles
    /// in each window without trouble, until the `longest` wait was called in.
    pub(super) fn now(&self, longest: Duration) -> Duration {
        self.0.lock().at(Instant::now(), longest)
    }
}

impl Outlook {
    fn at(&mut self, now: Instant, longest: Duration) -> Duration {
        if now.duration_since(self.since) >= WINDOW {
            self.ahead = match self.ahead {
                _ if self.troubles * TROUBLED > self.calls => Some(Duration::ZERO),
                ahead if self.calls == 0 => ahead,
                Some(ahead) if ahead < longest => Some((ahead * 2).max(WINDOW).min(longest)),
                _ => None,
            };
            (self.since, self.calls, self.troubles) = (now, 0, 0);
        }
        self.ahead.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(2);

    /// What follows windows of so many calls and troubles, in milliseconds.
    fn after(windows: &[(u32, u32)]) -> Vec<u128> {
        after_with(LONGEST, windows)
    }

    fn after_with(longest: Duration, windows: &[(u32, u32)]) -> Vec<u128> {
        let Ahead(outlook) = Ahead::new();
        let mut outlook = outlook.into_inner();
        let mut now = outlook.since;
        let ahead = windows.iter().map(|(calls, troubles)| {
            (outlook.calls, outlook.troubles) = (*calls, *troubles);
            now += WINDOW;
            outlook.at(now, longest).as_millis()
        });
        ahead.collect()
    }

    #[test]
    fn once_peers_answer_all_that_waits_is_called_in_step_by_step_and_only_once() {
        let well = (20, 1);
        assert_eq!(after(&[well; 6]), [500, 1000, 2000, 0, 0, 0]);
        let again = [well, well, (20, 3), well, well];
        assert_eq!(after(&again), [500, 1000, 0, 500, 1000]);
        let later = [well, well, well, well, (9, 1), (0, 0), well];
        assert_eq!(after(&later), [500, 1000, 2000, 0, 0, 0, 500]);
    }

    #[test]
    fn waits_may_be_shorter_than_a_window() {
        let longest = Duration::from_millis(300);
        assert_eq!(after_with(longest, &[(1, 0); 3]), [300, 0, 0]);
    }

    #[test]
    fn nothing_is_known_where_nobody_was_called() {
        assert_eq!(
            after(&[(0, 0), (1, 0), (0, 0), (1, 0)]),
            [0, 500, 500, 1000]
        );
    }

    #[test]
    fn within_a_window_nothing_changes() {
        let ahead = Ahead::new();
        ahead.called(false);
        assert_eq!(ahead.now(LONGEST), Duration::ZERO);
        assert_eq!(ahead.now(LONGEST), Duration::ZERO);
        assert_eq!(ahead.0.lock().calls, 1);
    }
}
