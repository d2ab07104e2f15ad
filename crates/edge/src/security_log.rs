//! One line for each call that was denied, and not more than a reader can
//! bear: an attacker must not be able to fill the disk.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rpc::{Caller, Problem};

use crate::caller;

const WINDOW: Duration = Duration::from_secs(1);
const LINES_A_WINDOW: u32 = 20;

/// A call that was denied, as far as it is known.
#[derive(Debug)]
pub(crate) struct Denied<'a> {
    pub(crate) address: IpAddr,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) token_error: Option<&'static str>,
    pub(crate) problem: &'a Problem,
}

#[derive(Debug, Default)]
pub(crate) struct SecurityLog(Mutex<Window>);

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    left_out: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            lines: 0,
            left_out: 0,
        }
    }
}

impl Window {
    /// How many lines were left out before this one; `None`: it is one more.
    fn enter(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.began) >= WINDOW {
            self.began = now;
            self.lines = 0;
        }
        if self.lines >= LINES_A_WINDOW {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl SecurityLog {
    pub(crate) fn denied(&self, denied: &Denied<'_>) {
        let Some(left_out) = self.0.lock().enter(Instant::now()) else {
            return;
        };
        // Which call it was, the span says; of people never who it was.
        let caller = denied.caller.map(caller::kind);
        tracing::warn!(
            target: "security",
            reason = denied.problem.reason().code(),
            token_error = denied.token_error,
            caller = caller.as_deref(),
            client.address = %denied.address,
            left_out,
            "a call was denied"
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn past_a_number_a_second_lines_are_counted_only() {
        let mut window = Window::default();
        let now = window.began;
        for _ in 0..LINES_A_WINDOW {
            assert_eq!(window.enter(now), Some(0));
        }
        assert_eq!(window.enter(now), None);
        assert_eq!(window.enter(now), None);
        assert_eq!(window.enter(now + WINDOW), Some(2));
        assert_eq!(window.enter(now + WINDOW), Some(0));
    }
}
