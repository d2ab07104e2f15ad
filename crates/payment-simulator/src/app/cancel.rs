use super::change::{Change, Done};
use super::{App, AppError, now};
use crate::books::entry::EventKind;
use crate::books::keys::Claim;

/// Gives up an intent and releases what it holds.
pub struct Cancel {
    pub intent: String,
    pub reason: Option<String>,
}

impl App {
    pub(super) fn cancel(&self, cancel: Cancel, claim: Option<Claim>) -> Result<Done, AppError> {
        self.change(&cancel.intent, claim, |account| {
            let mut intent = account.intent.clone();
            intent.cancel(cancel.reason, now())?;
            Ok(Change {
                answer: self.intent_answer(&intent)?,
                events: self.events(&[EventKind::Canceled]),
                lost: false,
                intent,
                refund: None,
            })
        })
    }
}
