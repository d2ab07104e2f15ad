//! Tells the shop what happened: each event is posted until the shop answers
//! 2xx. What is not acknowledged is in the journal and goes out after a restart.
//!
//! Order is not promised, as with Stripe.

mod dispatcher;
mod post;
mod signature;
mod watch;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::books::{Books, Undelivered};
use crate::faults::Faults;
use crate::settings::WebhookSettings;
use dispatcher::Dispatcher;
use post::Poster;

pub use signature::sign;

pub struct Webhooks {
    queue: mpsc::UnboundedSender<Delivery>,
}

struct Delivery {
    event: Undelivered,
    acknowledged: Option<oneshot::Sender<()>>,
}

/// What the sender of events needs from the rest.
pub struct Surroundings {
    pub books: Arc<Books>,
    pub faults: Arc<Faults>,
    pub public_url: String,
    pub tracker: TaskTracker,
    pub stop: CancellationToken,
}

impl Webhooks {
    /// `None` when the settings name no receiver.
    ///
    /// # Errors
    /// When the roots of TLS cannot be read.
    pub fn start(
        settings: &WebhookSettings,
        around: Surroundings,
    ) -> reqwest::Result<Option<Webhooks>> {
        let Some(url) = settings.url.clone() else {
            return Ok(None);
        };
        let (queue, deliveries) = mpsc::unbounded_channel();
        let (tracker, stop) = (around.tracker.clone(), around.stop.clone());
        let poster = Poster::new(url, settings, around)?;
        let dispatcher = Dispatcher::new(poster, settings, deliveries);
        tracker.spawn(dispatcher.run(stop));
        Ok(Some(Webhooks { queue }))
    }

    /// Sends events that are durable.
    pub fn send(&self, events: &[Undelivered]) {
        for event in events {
            self.enqueue(event, None);
        }
    }

    /// Returns when every event was acknowledged.
    pub async fn send_and_wait(&self, events: &[Undelivered]) {
        let mut waiters = Vec::with_capacity(events.len());
        for event in events {
            let (acknowledged, waiter) = oneshot::channel();
            self.enqueue(event, Some(acknowledged));
            waiters.push(waiter);
        }
        for waiter in waiters {
            // The dispatcher went away: the process stops.
            let _ = waiter.await;
        }
    }

    fn enqueue(&self, event: &Undelivered, acknowledged: Option<oneshot::Sender<()>>) {
        let event = event.clone();
        // The dispatcher is gone only when the process stops; the event is in
        // the journal.
        let _ = self.queue.send(Delivery {
            event,
            acknowledged,
        });
    }
}
