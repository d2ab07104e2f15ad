//! What can be asked of this service, one file per verb. This layer alone owns
//! transactions; no lock and no transaction is held while the provider is
//! asked.
//!
//! Every verb that moves money has the same three steps: one transaction that
//! writes what is about to be done, under its idempotency key; the call of the
//! provider, under a key of its own; and [`settle`], one transaction that makes
//! the provider's answer true and keeps ours. Webhooks and the reconciler come
//! in at the last step.

mod apply_webhook;
mod ask;
mod at_work;
mod books;
mod capture_payment;
mod check;
mod confirm_payment;
mod create_payment;
mod difference;
mod error;
mod list;
mod reconcile_provider;
mod refund_payment;
mod run_audit;
mod settle;
mod take_over;
mod void_payment;

use std::sync::Arc;
use std::time::Duration;

use batch::Gatherer;
use database::Database;
use idempotency::{Answered, Call, Outcome, Request, Saved, Verb};
use outbox::Wake;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Notify;
use tracing::Span;
use tracing::field::display;
use types::PaymentId;

use crate::domain::{Fact, Payment};
use crate::provider::{ProviderError, Stripe};

pub use apply_webhook::{Applied, STRIPE, Told};
pub use capture_payment::{CaptureMade, NewCapture};
pub use confirm_payment::{Confirmation, Confirmed};
pub use create_payment::Created;
pub use difference::{Difference, Kind};
pub use error::AppError;
pub use list::{Cursor, Details};
pub use reconcile_provider::{Place, Reconciled, Window};
pub use refund_payment::{NewRefund, RefundMade};
pub use run_audit::Finding;
pub use void_payment::{NewVoid, Target, Voided};

pub use crate::store::payments::Due;

use at_work::{Renewals, gather_renewals};
use capture_payment::CapturePayment;
use create_payment::CreatePayment;
use refund_payment::RefundPayment;
use settle::{Close, Report, Settled, Settling};

/// How many calls of one verb share a transaction at most.
const BATCH_MAX: usize = 256;

/// When work that is under way is looked at by others.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Started work whose caller has died is checked after this. Above the
    /// provider's timeout, so that living callers are left alone.
    pub abandoned_after_ms: u64,
    /// An unknown outcome is asked about after this.
    pub ask_again_after_ms: u64,
    /// What waits for a customer or for the provider is asked about after this;
    /// a webhook mostly comes before.
    pub poll_ms: u64,
    /// The longest time between two checks of one payment.
    pub pause_ms_max: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            abandoned_after_ms: 10_000,
            ask_again_after_ms: 1_000,
            poll_ms: 30_000,
            pause_ms_max: 300_000,
        }
    }
}

impl Policy {
    pub fn abandoned_after(&self) -> Duration {
        Duration::from_millis(self.abandoned_after_ms)
    }

    pub fn ask_again_after(&self) -> Duration {
        Duration::from_millis(self.ask_again_after_ms)
    }

    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub fn pause_max(&self) -> Duration {
        Duration::from_millis(self.pause_ms_max)
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct App {
    db: Database,
    provider: Stripe,
    policy: Policy,
    due: Arc<Notify>,
    settling: Settling,
    creations: Gatherer<Call<<CreatePayment as Verb>::Input>, Answered<CreatePayment>>,
    captures: Gatherer<Call<<CapturePayment as Verb>::Input>, Answered<CapturePayment>>,
    refunds: Gatherer<Call<<RefundPayment as Verb>::Input>, Answered<RefundPayment>>,
    reports: Gatherer<Report, Result<Settled, AppError>>,
    webhooks: Gatherer<Told, Result<Applied, AppError>>,
    renewals: Renewals,
}

/// An answer as it is kept, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub saved: Saved,
    pub is_replay: bool,
}

impl Reply {
    fn fresh(saved: Saved) -> Reply {
        Reply {
            saved,
            is_replay: false,
        }
    }

    fn replay(saved: Saved) -> Reply {
        Reply {
            saved,
            is_replay: true,
        }
    }
}

/// What the first transaction of a verb has come to: an answer, or work that
/// goes on with the provider.
#[derive(Debug)]
pub enum Begun<T, W> {
    Done(T),
    GoesOn(Box<W>),
}

impl<T: idempotency::Answer, W> idempotency::Answer for Begun<T, W> {
    fn saved(&self) -> Saved {
        match self {
            Begun::Done(answer) => answer.saved(),
            // Never asked for: such work is started, not finished.
            Begun::GoesOn(_) => Saved {
                code: 0,
                body: Vec::new(),
            },
        }
    }
}

impl App {
    /// Starts the workers that gather calls, on the current runtime.
    pub fn new(db: Database, provider: Stripe, policy: Policy, outbox: Wake) -> App {
        let due = Arc::new(Notify::new());
        let settling = Settling {
            db: db.clone(),
            policy: policy.clone(),
            due: due.clone(),
            outbox,
        };
        App {
            creations: gather_verb("CreatePayment", &db, CreatePayment::new(&policy)),
            captures: gather_verb("CapturePayment", &db, CapturePayment::new(&policy)),
            refunds: gather_verb("RefundPayment", &db, RefundPayment::new(&policy)),
            reports: settling.clone().gather_reports(),
            webhooks: settling.clone().gather_webhooks(),
            renewals: gather_renewals(db.clone()),
            settling,
            db,
            provider,
            policy,
            due,
        }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn database(&self) -> &Database {
        &self.db
    }

    /// Returns when some payment is to be checked at once.
    pub async fn something_is_due(&self) {
        self.due.notified().await;
    }

    /// Makes a fact true; the one way in for replies of the provider.
    async fn report(&self, report: Report) -> Result<Settled, AppError> {
        self.reports.call(report).await?
    }

    /// Makes a fact true that the provider tells now, and closes the key of the
    /// call that asked for it.
    async fn settle(
        &self,
        payment: PaymentId,
        fact: Fact,
        close: Close,
    ) -> Result<Reply, AppError> {
        let settled = self
            .report(Report::fresh(payment, fact).closing(close))
            .await?;
        match settled.answer {
            Some(saved) => Ok(Reply::fresh(saved)),
            None => self.leave_open(payment, close).await,
        }
    }

    /// The outcome stays unknown: the same key may ask again at once, and the
    /// reconciler asks soon.
    async fn leave_open(&self, payment: PaymentId, close: Close) -> Result<Reply, AppError> {
        let within = self.policy.ask_again_after();
        self.db
            .retry(|| async {
                let mut tx = self.db.begin().await?;
                crate::store::payments::check_within(&mut tx, &[payment], within).await?;
                idempotency::lapse(&mut tx, close.method(), close.resource()).await?;
                failpoint::around!("payment.unknown", "commit", tx.commit().await)
            })
            .await?;
        Err(AppError::OutcomeUnknown)
    }

    /// What an unknown outcome of a call means for whoever made it.
    async fn unknown(
        &self,
        error: &ProviderError,
        payment: &Payment,
        close: Close,
    ) -> Result<Reply, AppError> {
        tracing::warn!(
            %error,
            payment.id = %payment.id,
            order.id = %payment.order_id,
            rpc.method = close.method(),
            "the provider's answer is not known"
        );
        self.leave_open(payment.id, close).await
    }
}

/// What is done for a payment is found by it and by its order.
fn name_in(span: &Span, payment: &Payment) {
    span.record("payment.id", display(payment.id));
    span.record("order.id", display(payment.order_id));
}

/// Runs the first transaction of a verb for whoever calls at the same time.
fn gather_verb<V>(
    name: &'static str,
    db: &Database,
    verb: V,
) -> Gatherer<Call<V::Input>, Answered<V>>
where
    V: Verb + Clone + 'static,
    V::Input: 'static,
    V::Output: Sync + 'static,
    V::Error: Sync + 'static,
{
    let db = db.clone();
    Gatherer::spawn(name, BATCH_MAX, move |calls: Vec<Call<V::Input>>| {
        let (db, verb) = (db.clone(), verb.clone());
        async move { idempotency::once(&db, &verb, &calls).await }
    })
}

/// One call that is not gathered.
async fn once<V: Verb<Error = AppError>>(
    db: &Database,
    verb: &V,
    request: Request,
    input: V::Input,
) -> Result<Outcome<V::Output>, AppError> {
    let answers = idempotency::once(db, verb, &[Call { request, input }]).await;
    let answer = answers.into_iter().next();
    Ok(
        answer.unwrap_or(Err(idempotency::Failure::Refused(AppError::Bug(
            "a call without an answer",
        ))))?,
    )
}
