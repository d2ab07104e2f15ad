use super::change::{Change, Done};
use super::{App, AppError};
use crate::books::entry::EventKind;
use crate::books::intent::Status;
use crate::books::keys::Claim;
use crate::methods::Quirk;

/// Takes authorized money.
pub struct Capture {
    pub intent: String,
    /// All that is left when absent.
    pub amount_minor: Option<i64>,
    /// Releases what is left over.
    pub last: bool,
}

impl App {
    pub(super) fn capture(&self, capture: Capture, claim: Option<Claim>) -> Result<Done, AppError> {
        self.change(&capture.intent, claim, |account| {
            let mut intent = account.intent.clone();
            intent.capture(capture.amount_minor, capture.last)?;
            let event = match intent.status {
                Status::Succeeded => EventKind::Succeeded,
                _ => EventKind::AmountCapturableUpdated,
            };
            Ok(Change {
                answer: self.intent_answer(&intent)?,
                events: self.events(&[event]),
                lost: intent.quirk() == Quirk::CaptureAnswerLost,
                intent,
                refund: None,
            })
        })
    }
}
