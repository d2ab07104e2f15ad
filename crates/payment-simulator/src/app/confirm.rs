use super::change::{Change, Done};
use super::{App, AppError};
use crate::books::keys::Claim;
use crate::ids;
use crate::methods::{Method, Quirk};

/// Pays, with the method there is or with a new one.
pub struct Confirm {
    pub intent: String,
    pub method: Option<Method>,
}

impl App {
    pub(super) fn confirm(&self, confirm: Confirm, claim: Option<Claim>) -> Result<Done, AppError> {
        self.change(&confirm.intent, claim, |account| {
            let mut intent = account.intent.clone();
            let attempt = intent.confirm(confirm.method, ids::random("ch"))?;
            let (answer, events) = self.attempt_outcome(&intent, attempt)?;
            Ok(Change {
                lost: intent.quirk() == Quirk::ConfirmAnswerLost,
                intent,
                refund: None,
                events,
                answer,
            })
        })
    }
}
