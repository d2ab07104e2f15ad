//! One file per thing that can be asked for; the only place that begins and
//! commits. The saga's worker and the consumers of events are callers like any
//! other.

mod ahead;
mod announce_return;
mod await_answer;
mod cancel_order;
mod claims;
mod command;
mod create_fulfillment;
mod create_order;
mod error;
mod heed_shortfall;
mod journal;
mod measure_sagas;
mod messages;
mod queries;
mod receive_return;
mod reconcile_order;
mod record;
mod refund_order;
mod reply;
mod resolve_saga;
mod retry_saga;
mod run_audit;
mod saga;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use batch::Gatherer;
use database::Database;
use idempotency::{Call, Saved};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::peers::Peers;
use crate::store::orders::Times;
use ahead::Ahead;
use claims::Claims;
use waiting::{Bells, Callers};

pub use announce_return::NewReturn;
pub use cancel_order::Cancel;
pub use command::Asker;
pub use create_fulfillment::NewFulfillment;
pub use create_order::{Place, PlaceOrder};
pub use error::Error;
pub use messages::STREAM;
pub use queries::Timeline;
pub use receive_return::Receive;
pub use reconcile_order::Difference;
pub use refund_order::NewRefund;
pub use reply::{Reply, method};
pub use resolve_saga::Resolve;
pub use waiting::Listener;

pub use crate::store::audit::Finding;
pub use crate::store::orders::Filter;

/// How patient the saga is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a claim lasts unless it is renewed.
    pub lease: Duration,
    /// How long a customer has for what a payment needs.
    pub action: Duration,
    /// How often a payment that waits for its customer is looked at.
    pub action_poll: Duration,
    /// After which an order that is not confirmed is turned back.
    pub forward: Duration,
    /// After which a person has to look at an order.
    pub attention: Duration,
    /// The longest wait between two tries.
    pub backoff_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(4),
            action: Duration::from_secs(15 * 60),
            action_poll: Duration::from_secs(5),
            forward: Duration::from_secs(10 * 60),
            attention: Duration::from_secs(14 * 60),
            backoff_max: Duration::from_secs(30),
        }
    }
}

/// Everything that the verbs share; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Database,
    peers: Peers,
    patience: Patience,
    /// Whether CreateOrder accepts anything.
    accepts: Arc<AtomicBool>,
    places: Gatherer<Call<Place>, create_order::Placed>,
    records: Gatherer<journal::Entry, record::Recorded>,
    callers: Callers,
    bells: Bells,
    claims: Claims,
    relay: outbox::Wake,
    due: Notify,
    ahead: Ahead,
    /// How many calls to peers may be repeated at once.
    retries: rpc::RetryBudget,
    tracker: TaskTracker,
}

/// An answer as it is kept under its key, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub saved: Saved,
    pub replayed: bool,
}

impl App {
    /// Starts the gatherers on the current runtime. Sagas run on `tracker`.
    pub fn new(
        db: Database,
        peers: Peers,
        patience: Patience,
        relay: outbox::Wake,
        tracker: TaskTracker,
    ) -> Self {
        let times = Times {
            lease: patience.lease,
            action: patience.action,
        };
        let accepts = Arc::new(AtomicBool::new(true));
        Self(Arc::new(Inner {
            places: create_order::gather(db.clone(), patience.lease, accepts.clone()),
            accepts,
            records: record::gather(db.clone(), times),
            db,
            peers,
            patience,
            callers: Callers::default(),
            bells: Bells::default(),
            claims: Claims::default(),
            relay,
            due: Notify::new(),
            ahead: Ahead::new(),
            retries: rpc::RetryBudget::default(),
            tracker,
        }))
    }

    /// Opens and closes the shop for new orders. Orders that were accepted go
    /// on, and everything else can be asked for.
    pub fn accept_orders(&self, accepts: bool) {
        self.0.accepts.store(accepts, Ordering::Relaxed);
    }

    fn times(&self) -> Times {
        Times {
            lease: self.0.patience.lease,
            action: self.0.patience.action,
        }
    }

    /// To be woken when the order changes in this process.
    pub fn listen(&self, order: types::OrderId) -> Listener {
        self.0.bells.listen(order)
    }

    /// Tells those who wait of what was committed.
    fn announce(&self, order: types::OrderId, answers: Vec<waiting::Told>) {
        self.0.bells.ring(order);
        self.0.relay.wake();
        for told in answers {
            self.0.callers.tell(told);
        }
    }
}
