//! The rate up to which the shop follows: from there on more is offered than is
//! done, or done too late.

use std::time::Duration;

use super::client::{Client, Window};

const STEP: f64 = 1.25;
/// Of what is offered, so much must be done.
const FOLLOWS: f64 = 0.95;
/// The p99 may grow to so many times that of little load, and to so much at
/// least, which nobody who orders minds: with more to gather more is done.
const LEAVES: f64 = 4.0;
const LEAVES_MS_MIN: f64 = 500.0;
const STEPS_MAX: usize = 30;

/// Raises the rate step by step. The last at which all was well; if a step goes
/// wrong it is tried again, since others use the machine, too.
pub(super) async fn find(client: &Client, from: f64, step: Duration) -> Window {
    let calm = client.offer(from, step).await;
    eprintln!("· little load: {}", calm.line());
    let bound_ms = (calm.accepted.p99_ms * LEAVES).max(LEAVES_MS_MIN);
    let mut knee = calm;
    for _ in 0..STEPS_MAX {
        let rate = knee.rate * STEP;
        let mut window = client.offer(rate, step).await;
        if !follows(&window, bound_ms) {
            window = client.offer(rate, step).await;
        }
        eprintln!("· the knee: {}", window.line());
        if !follows(&window, bound_ms) {
            break;
        }
        knee = window;
    }
    knee
}

fn follows(window: &Window, bound_ms: f64) -> bool {
    window.goodput >= FOLLOWS * window.rate
        && window.accepted.p99_ms <= bound_ms
        && window.failed == 0
        && window.shed == 0
        && window.not_sent == 0
}

#[cfg(test)]
mod tests {
    use load::Latency;

    use super::*;

    fn window(goodput: f64, p99_ms: f64) -> Window {
        Window {
            rate: 100.0,
            goodput,
            accepted: Latency {
                p99_ms,
                ..Latency::default()
            },
            ..Window::default()
        }
    }

    #[test]
    fn a_shop_follows_as_long_as_it_does_what_is_offered_in_time() {
        assert!(follows(&window(99.0, 100.0), 150.0));
        assert!(!follows(&window(90.0, 100.0), 150.0));
        assert!(!follows(&window(99.0, 200.0), 150.0));
        let failed = Window {
            failed: 1,
            ..window(99.0, 100.0)
        };
        assert!(!follows(&failed, 150.0));
    }
}
