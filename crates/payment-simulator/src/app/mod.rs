//! What a caller can ask for. One file per request, and [`run`] around all of
//! those that change something: faults, idempotency key, act, wait for the
//! disk, send webhooks, answer.

mod cancel;
mod capture;
mod change;
mod complete_action;
mod confirm;
mod create;
mod read;
mod refund;
mod refusal;
mod run;
mod settle;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::books::keys::Fingerprint;
use crate::books::{Answer, Books, BooksError};
use crate::faults::{Faults, Loss, Operation};
use crate::methods::Method;
use crate::webhooks::Webhooks;
use crate::wire::Problem;

pub use cancel::Cancel;
pub use capture::Capture;
pub use complete_action::CompleteAction;
pub use confirm::Confirm;
pub use create::Create;
pub use read::PageOf;
pub use refund::CreateRefund;

pub struct App {
    pub books: Arc<Books>,
    pub faults: Arc<Faults>,
    /// `None`: nobody listens, and no event is made.
    pub webhooks: Option<Webhooks>,
    pub refund_settle_delay: Duration,
    /// Where a browser finds this simulator.
    pub public_url: String,
    /// Work that a caller who hangs up must not cancel.
    pub tracker: TaskTracker,
    /// Ends what waits.
    pub stop: CancellationToken,
}

/// A request that changes something.
pub enum Command {
    Create(Create),
    Confirm(Confirm),
    Capture(Capture),
    Cancel(Cancel),
    CreateRefund(CreateRefund),
    CompleteAction(CompleteAction),
}

/// The idempotency key of a request, and what the request asks for.
pub struct Keyed {
    pub key: String,
    pub fingerprint: Fingerprint,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub answer: Answer,
    /// The answer was given before, to the first request with this key.
    pub replayed: bool,
    /// The caller is not to get the answer.
    pub lost: Option<Loss>,
}

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("{}", .0.error.message)]
    Problem(Problem),
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error("an answer cannot be rendered: {0}")]
    Render(#[from] serde_json::Error),
    #[error("a task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> AppError {
        AppError::Problem(problem)
    }
}

impl Command {
    /// `None`: an order to the simulator itself, which no fault touches.
    fn operation(&self) -> Option<Operation> {
        match self {
            Command::Create(_) => Some(Operation::CreatePaymentIntent),
            Command::Confirm(_) => Some(Operation::ConfirmPaymentIntent),
            Command::Capture(_) => Some(Operation::CapturePaymentIntent),
            Command::Cancel(_) => Some(Operation::CancelPaymentIntent),
            Command::CreateRefund(_) => Some(Operation::CreateRefund),
            Command::CompleteAction(_) => None,
        }
    }

    /// The method that is about to be confirmed, where the request names it.
    fn confirms_with(&self) -> Option<Method> {
        match self {
            Command::Create(create) if create.confirm => create.method,
            Command::Confirm(confirm) => confirm.method,
            _ => None,
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

pub fn now() -> i64 {
    now_ms() / 1000
}
