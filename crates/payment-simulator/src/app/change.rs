//! Changing one intent under its lock: decide on a copy, render the answer,
//! record both as one line.

use tracing::Span;
use types::OrderId;

use super::{App, AppError, now};
use crate::books::entry::EventKind;
use crate::books::intent::{Attempt, CaptureMethod, Intent, Refusal};
use crate::books::keys::Claim;
use crate::books::refund::{Refund, RefundState};
use crate::books::{Account, Answer, BooksError, Recorded, SharedAccount, Step, Undelivered};
use crate::methods::Quirk;
use crate::wire::{PaymentIntent, Problem, render};

/// What a request wants recorded.
pub(super) struct Change {
    pub intent: Intent,
    pub refund: Option<Refund>,
    pub events: Vec<EventKind>,
    pub answer: Answer,
    /// The answer is to get lost, this first time.
    pub lost: bool,
}

/// A request that was carried out or refused for good.
pub(super) struct Done {
    pub answer: Answer,
    /// Answer only when the journal is durable up to here.
    pub end: u64,
    pub events: Vec<Undelivered>,
    pub lost: bool,
    pub webhook_first: bool,
    /// A refund that settles by itself, and when (Unix milliseconds).
    pub settle: Option<(String, i64)>,
}

/// Why there is no change.
pub(super) enum Stop {
    /// A definite answer, kept under the key.
    Refused(Refusal),
    Failed(AppError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<AppError> for Stop {
    fn from(error: AppError) -> Stop {
        Stop::Failed(error)
    }
}

impl Change {
    /// Records the change as one line.
    pub(super) fn conclude(
        self,
        record: impl FnOnce(Step<'_>) -> Result<Recorded, BooksError>,
    ) -> Result<Done, AppError> {
        name_order(&self.intent);
        let webhook_first = self.intent.quirk() == Quirk::WebhookFirst;
        let settle = self.refund.as_ref().and_then(pending_until);
        let recorded = record(Step {
            at: now(),
            intent: Some(self.intent),
            refund: self.refund,
            events: self.events,
            answer: Some(&self.answer),
        })?;
        Ok(Done {
            answer: self.answer,
            end: recorded.end,
            events: recorded.events,
            lost: self.lost,
            webhook_first,
            settle,
        })
    }
}

/// A request is found by the shop's own ids, which come as metadata. Of a
/// caller's text only an id is told.
fn name_order(intent: &Intent) {
    for (key, field) in [("order_id", "order.id"), ("payment_id", "payment.id")] {
        let id = intent.metadata.get(key);
        if let Some(id) = id.filter(|id| OrderId::parse(id).is_ok()) {
            Span::current().record(field, id);
        }
    }
}

fn pending_until(refund: &Refund) -> Option<(String, i64)> {
    match refund.state {
        RefundState::Pending { settles_at_ms, .. } => Some((refund.id.clone(), settles_at_ms)),
        RefundState::Succeeded | RefundState::Failed => None,
    }
}

impl App {
    pub(super) fn account(&self, intent: &str) -> Result<SharedAccount, Problem> {
        let account = self.books.account(intent);
        account.ok_or_else(|| Problem::missing("payment_intent", intent).param("intent"))
    }

    pub(super) fn change(
        &self,
        intent: &str,
        claim: Option<Claim>,
        decide: impl FnOnce(&Account) -> Result<Change, Stop>,
    ) -> Result<Done, AppError> {
        let account = self.account(intent)?;
        let mut state = account.lock();
        match decide(&state) {
            Ok(change) => {
                change.conclude(|step| self.books.record(&account, &mut state, step, claim))
            }
            Err(Stop::Refused(refusal)) => self.refuse(&refusal, &account, &mut state, claim),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn refuse(
        &self,
        refusal: &Refusal,
        account: &SharedAccount,
        state: &mut Account,
        claim: Option<Claim>,
    ) -> Result<Done, AppError> {
        let problem = self.problem(refusal, &state.intent)?;
        let answer = Answer {
            status: problem.status,
            body: problem.body()?,
        };
        let mut end = state.end;
        if claim.is_some() {
            let step = Step {
                at: now(),
                answer: Some(&answer),
                ..Step::default()
            };
            end = self.books.record(account, state, step, claim)?.end;
        }
        Ok(Done {
            answer,
            end,
            events: Vec::new(),
            lost: false,
            webhook_first: false,
            settle: None,
        })
    }

    pub(super) fn events(&self, kinds: &[EventKind]) -> Vec<EventKind> {
        match self.webhooks {
            Some(_) => kinds.to_vec(),
            None => Vec::new(),
        }
    }

    pub(super) fn intent_answer(&self, intent: &Intent) -> Result<Answer, AppError> {
        Ok(Answer {
            status: 200,
            body: render(&PaymentIntent::of(intent, &self.public_url))?,
        })
    }

    /// What the caller of a confirmation gets, and what the webhooks tell.
    pub(super) fn attempt_outcome(
        &self,
        intent: &Intent,
        attempt: Attempt,
    ) -> Result<(Answer, Vec<EventKind>), AppError> {
        let event = match (attempt, intent.capture_method) {
            (Attempt::Approved, CaptureMethod::Manual) => EventKind::AmountCapturableUpdated,
            (Attempt::Approved, CaptureMethod::Automatic) => EventKind::Succeeded,
            (Attempt::Challenged, _) => EventKind::RequiresAction,
            (Attempt::Declined, _) => EventKind::PaymentFailed,
        };
        let answer = match attempt {
            Attempt::Approved | Attempt::Challenged => self.intent_answer(intent)?,
            Attempt::Declined => self.declined(intent)?,
        };
        Ok((answer, self.events(&[event])))
    }
}
