//! When calls are made.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Calls arrive at a constant rate, whatever becomes of those before: customers
/// do not wait for each other. A shop that is slow has more of them at once.
#[derive(Debug, Clone, Copy)]
pub struct OpenLoop {
    pub per_second: f64,
    /// What arrives while so many are under way is not sent, and counted.
    pub in_flight_max: usize,
}

/// So many clients, each with its next call as soon as it has its answer: it
/// finds out how much a shop can do, and says nothing of how long people wait.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoop {
    pub clients: usize,
}

/// One call that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// From 0.
    pub number: u64,
    /// When it should begin. Measure from here: if its beginning is late, the
    /// customer has waited all the same.
    pub intended: Instant,
}

/// What was offered. It may be read while the load goes on.
#[derive(Debug, Default)]
pub struct Offered {
    arrived: AtomicU64,
    not_sent: AtomicU64,
    ended: AtomicU64,
}

impl Offered {
    pub fn arrived(&self) -> u64 {
        self.arrived.load(Relaxed)
    }

    /// Arrived while too many were under way.
    pub fn not_sent(&self) -> u64 {
        self.not_sent.load(Relaxed)
    }

    pub fn in_flight(&self) -> u64 {
        let left = self.not_sent() + self.ended.load(Relaxed);
        self.arrived().saturating_sub(left)
    }
}

impl OpenLoop {
    /// Begins calls until `stop`, and returns when the last has ended.
    pub async fn run<F, Fut>(self, stop: CancellationToken, offered: Arc<Offered>, begin: F)
    where
        F: Fn(Arrival) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let tasks = TaskTracker::new();
        let places = Arc::new(Semaphore::new(self.in_flight_max));
        let first = Instant::now();
        for number in 0.. {
            let intended = first + self.after(number);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(intended) => {}
            }
            offered.arrived.fetch_add(1, Relaxed);
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                offered.not_sent.fetch_add(1, Relaxed);
                continue;
            };
            let call = begin(Arrival { number, intended });
            let offered = Arc::clone(&offered);
            tasks.spawn(async move {
                call.await;
                offered.ended.fetch_add(1, Relaxed);
                drop(place);
            });
        }
        tasks.close();
        tasks.wait().await;
    }

    /// From the first arrival to this one. Not a sum of pauses: those would
    /// drift.
    fn after(self, number: u64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact up to 2^53 calls, which is longer than anybody waits"
        )]
        Duration::from_secs_f64(number as f64 / self.per_second)
    }
}

impl ClosedLoop {
    /// Makes calls until `stop`, and returns when the last has ended.
    pub async fn run<F, Fut>(self, stop: CancellationToken, offered: Arc<Offered>, begin: F)
    where
        F: Fn(Arrival) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let tasks = TaskTracker::new();
        for _ in 0..self.clients {
            let (begin, stop, offered) = (begin.clone(), stop.clone(), Arc::clone(&offered));
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    let number = offered.arrived.fetch_add(1, Relaxed);
                    let intended = Instant::now();
                    begin(Arrival { number, intended }).await;
                    offered.ended.fetch_add(1, Relaxed);
                }
            });
        }
        tasks.close();
        tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Runs at 10 a second for two seconds of a clock that does not wait.
    async fn run(in_flight_max: usize, takes: Duration) -> (Vec<Duration>, Arc<Offered>) {
        let (stop, offered) = (CancellationToken::new(), Arc::new(Offered::default()));
        let began = Instant::now();
        let times = Arc::new(Mutex::new(Vec::new()));
        let pace = OpenLoop {
            per_second: 10.0,
            in_flight_max,
        };
        let load = pace.run(stop.clone(), Arc::clone(&offered), |arrival| {
            times.lock().push(arrival.intended - began);
            async move { tokio::time::sleep(takes).await }
        });
        let end = async {
            tokio::time::sleep(SECOND * 2 - Duration::from_millis(50)).await;
            stop.cancel();
        };
        tokio::join!(load, end);
        let times = times.lock().clone();
        (times, offered)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_at_the_rate_however_slow_the_answers_are() {
        let (times, offered) = run(1000, SECOND * 60).await;
        assert_eq!(times.len(), 20);
        for (number, time) in (0..).zip(&times) {
            assert_eq!(*time, Duration::from_millis(100) * number);
        }
        assert_eq!((offered.arrived(), offered.not_sent()), (20, 0));
        assert_eq!(offered.in_flight(), 0, "it waits for the last answer");
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_place_is_counted_and_not_sent() {
        let (times, offered) = run(3, SECOND * 60).await;
        assert_eq!(times.len(), 3);
        assert_eq!((offered.arrived(), offered.not_sent()), (20, 17));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_call_keeps_its_intended_start() {
        let (stop, offered) = (CancellationToken::new(), Arc::new(Offered::default()));
        let latest = Arc::new(Mutex::new(Duration::ZERO));
        let pace = OpenLoop {
            per_second: 1000.0,
            in_flight_max: 10_000,
        };
        let load = pace.run(stop.clone(), offered, |arrival| {
            // The whole process stands still for a second, once.
            if arrival.number == 5 {
                std::thread::sleep(Duration::from_millis(1));
            }
            let latest = Arc::clone(&latest);
            async move {
                if arrival.number == 5 {
                    tokio::time::advance(SECOND).await;
                }
                let late = arrival.intended.elapsed();
                let mut latest = latest.lock();
                *latest = late.max(*latest);
            }
        });
        let end = async {
            tokio::time::sleep(SECOND * 2).await;
            stop.cancel();
        };
        tokio::join!(load, end);
        assert!(*latest.lock() >= Duration::from_millis(900));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_has_as_many_calls_under_way_as_clients() {
        let (stop, offered) = (CancellationToken::new(), Arc::new(Offered::default()));
        let load = ClosedLoop { clients: 4 };
        let load = load.run(stop.clone(), Arc::clone(&offered), |_| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
        });
        let end = async {
            tokio::time::sleep(Duration::from_millis(950)).await;
            assert_eq!(offered.in_flight(), 4);
            stop.cancel();
        };
        tokio::join!(load, end);
        assert_eq!(offered.arrived(), 40);
    }
}
