use super::change::{Change, Done};
use super::{App, AppError};
use crate::books::intent::Status;
use crate::books::keys::Claim;
use crate::ids;

/// What the customer did on the bank's page. Only the simulator has this.
pub struct CompleteAction {
    pub intent: String,
    pub passed: bool,
}

impl App {
    /// Always answers with the intent: a failed challenge is the customer's
    /// failure, not this caller's.
    pub(super) fn complete_action(
        &self,
        action: CompleteAction,
        claim: Option<Claim>,
    ) -> Result<Done, AppError> {
        self.change(&action.intent, claim, |account| {
            let mut intent = account.intent.clone();
            let attempt = intent.complete_action(action.passed, ids::random("ch"))?;
            let events = match intent.status {
                Status::RequiresConfirmation => Vec::new(),
                _ => self.attempt_outcome(&intent, attempt)?.1,
            };
            Ok(Change {
                answer: self.intent_answer(&intent)?,
                events,
                lost: false,
                intent,
                refund: None,
            })
        })
    }
}
