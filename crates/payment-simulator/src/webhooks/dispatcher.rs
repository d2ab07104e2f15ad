//! Decides which event is posted when: a few at once, the failed ones again
//! after a growing pause.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Delivery;
use super::post::{PostError, Poster};
use crate::books::Undelivered;
use crate::settings::WebhookSettings;

pub(super) struct Dispatcher {
    poster: Arc<Poster>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    /// What waits, by the time at which it is due; the number keeps keys apart.
    due: BTreeMap<(Instant, u64), Job>,
    jobs_seen: u64,
    running: JoinSet<(Job, Result<(), PostError>)>,
    at_once: usize,
    retry_min: Duration,
    retry_max: Duration,
}

struct Job {
    event: Undelivered,
    failures: u32,
    acknowledged: Option<oneshot::Sender<()>>,
}

impl Dispatcher {
    pub fn new(
        poster: Arc<Poster>,
        settings: &WebhookSettings,
        deliveries: mpsc::UnboundedReceiver<Delivery>,
    ) -> Dispatcher {
        Dispatcher {
            poster,
            deliveries,
            due: BTreeMap::new(),
            jobs_seen: 0,
            running: JoinSet::new(),
            at_once: settings.concurrency.max(1),
            retry_min: Duration::from_millis(settings.retry_ms_min),
            retry_max: Duration::from_millis(settings.retry_ms_max),
        }
    }

    /// Runs until `stop`; what is under way then is sent again after a restart.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            self.start_due();
            let next_due = match self.running.len() < self.at_once {
                true => self.due.keys().next().map(|(at, _)| *at),
                false => None,
            };
            tokio::select! {
                () = stop.cancelled() => break,
                delivery = self.deliveries.recv() => match delivery {
                    Some(delivery) => self.accept(delivery),
                    None => break,
                },
                Some(ended) = self.running.join_next() => match ended {
                    Ok((job, result)) => self.ended(job, result),
                    Err(error) => tracing::error!(%error, "a delivery failed; its event is sent after a restart"),
                },
                () = sleep_until(next_due) => {}
            }
        }
        self.running.shutdown().await;
    }

    fn start_due(&mut self) {
        while self.running.len() < self.at_once {
            match self.due.first_entry() {
                Some(first) if first.key().0 <= Instant::now() => {
                    let job = first.remove();
                    let poster = Arc::clone(&self.poster);
                    self.running.spawn(async move {
                        let result = poster.deliver(&job.event).await;
                        (job, result)
                    });
                }
                _ => return,
            }
        }
    }

    fn accept(&mut self, delivery: Delivery) {
        let reorder_ms = self.poster.faults.webhook_reorder_ms();
        let hold_ms = match reorder_ms {
            0 => 0,
            _ => rand::random_range(0..=reorder_ms),
        };
        let job = Job {
            event: delivery.event,
            failures: 0,
            acknowledged: delivery.acknowledged,
        };
        self.put(job, Duration::from_millis(hold_ms));
    }

    fn put(&mut self, job: Job, pause: Duration) {
        self.jobs_seen += 1;
        self.due
            .insert((Instant::now() + pause, self.jobs_seen), job);
    }

    fn ended(&mut self, mut job: Job, result: Result<(), PostError>) {
        match result {
            Ok(()) => {
                self.poster.note_delivered(&job.event);
                if let Some(acknowledged) = job.acknowledged {
                    let _ = acknowledged.send(());
                }
            }
            Err(PostError::NoSuchEvent) => {
                tracing::error!(event.id = %job.event.id, "the journal has no such event");
            }
            Err(error) => {
                job.failures += 1;
                if job.failures.is_power_of_two() {
                    let (id, tries) = (&job.event.id, job.failures);
                    tracing::warn!(%error, event.id = %id, attempt = tries, "a webhook was not accepted");
                }
                let pause = self.pause(job.failures);
                self.put(job, pause);
            }
        }
    }

    /// Doubles with each failure, ±20 %.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self
            .retry_min
            .saturating_mul(1 << failures.min(16).saturating_sub(1));
        let factor_percent = rand::random_range(80..=120);
        doubled.min(self.retry_max) * factor_percent / 100
    }
}

/// `None` never comes.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
