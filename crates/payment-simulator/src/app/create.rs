use std::collections::BTreeMap;

use super::change::{Change, Done};
use super::{App, AppError, now};
use crate::books::intent::{CaptureMethod, ConfirmationMethod, Intent, Status};
use crate::books::keys::Claim;
use crate::ids;
use crate::methods::{Method, Quirk};

/// A new payment intent, confirmed at once if asked. With `confirm` there is a
/// method: the edge sees to it.
pub struct Create {
    pub amount_minor: i64,
    pub currency: String,
    pub method: Option<Method>,
    pub capture_method: CaptureMethod,
    pub confirmation_method: ConfirmationMethod,
    pub confirm: bool,
    pub description: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl App {
    pub(super) fn create(&self, create: Create, claim: Option<Claim>) -> Result<Done, AppError> {
        let confirm = create.confirm;
        let intent = self.new_intent(create);
        let first = intent.clone();
        let change = match confirm {
            true => self.confirmed(intent)?,
            false => Change {
                answer: self.intent_answer(&intent)?,
                intent,
                refund: None,
                events: Vec::new(),
                lost: false,
            },
        };
        change.conclude(|step| self.books.open_account(first, step, claim))
    }

    fn new_intent(&self, create: Create) -> Intent {
        let id = ids::random("pi");
        Intent {
            client_secret: ids::random(&format!("{id}_secret")),
            id,
            sequence: self.books.next_sequence(),
            created: now(),
            amount_minor: create.amount_minor,
            currency: create.currency,
            capture_method: create.capture_method,
            confirmation_method: create.confirmation_method,
            status: match create.method {
                Some(_) => Status::RequiresConfirmation,
                None => Status::RequiresPaymentMethod,
            },
            challenge_passed: false,
            authorized: false,
            captured_minor: 0,
            refunded_minor: 0,
            method: create.method,
            charge: None,
            last_error: None,
            canceled_at: None,
            cancellation_reason: None,
            description: create.description,
            metadata: create.metadata,
        }
    }

    fn confirmed(&self, mut intent: Intent) -> Result<Change, AppError> {
        let lost = intent.quirk() == Quirk::ConfirmAnswerLost;
        let attempt = match intent.confirm(None, ids::random("ch")) {
            Ok(attempt) => attempt,
            Err(refusal) => return Err(self.problem(&refusal, &intent)?.into()),
        };
        let (answer, events) = self.attempt_outcome(&intent, attempt)?;
        Ok(Change {
            intent,
            refund: None,
            events,
            answer,
            lost,
        })
    }
}
