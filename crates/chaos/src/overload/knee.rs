//! The rate up to which the shop follows: from there on more is offered than is
//! done, or done too late.

use std::time::Duration;

use super::client::{Client, Window};

const STEP: f64 = 1.25;
/// Of what is offered, so much must be done.
const FOLLOWS: f64 = 0.95;
/// So long may the p99 be: as long as a service lets calls wait by itself
/// (`server.max_queueing_ms`). From there on more is done only by more waiting.
const TIMELY_MS: f64 = 500.0;
const STEPS_MAX: usize = 30;

/// Raises the rate step by step. The last at which all was well; if a step goes
/// wrong it is tried again, since others use the machine, too.
pub(super) async fn find(client: &Client, from: f64, step: Duration) -> Window {
    let mut knee = client.offer(from, step).await;
    eprintln!("· little load: {}", knee.line());
    for _ in 0..STEPS_MAX {
        let rate = knee.rate * STEP;
        let mut window = client.offer(rate, step).await;
        if !follows(&window) {
            window = client.offer(rate, step).await;
        }
        eprintln!("· the knee: {}", window.line());
        if !follows(&window) {
            break;
        }
        knee = window;
    }
    knee
}

fn follows(window: &Window) -> bool {
    window.goodput >= FOLLOWS * window.rate
        && window.accepted.p99_ms <= TIMELY_MS
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
        assert!(follows(&window(99.0, 100.0)));
        assert!(!follows(&window(90.0, 100.0)));
        assert!(!follows(&window(99.0, 600.0)));
        let failed = Window {
            failed: 1,
            ..window(99.0, 100.0)
        };
        assert!(!follows(&failed));
    }
}
