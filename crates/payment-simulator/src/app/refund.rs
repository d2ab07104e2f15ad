use std::collections::BTreeMap;

use super::change::{Change, Done};
use super::{App, AppError, now, now_ms};
use crate::books::Answer;
use crate::books::entry::EventKind;
use crate::books::keys::Claim;
use crate::books::refund::{Refund, RefundState};
use crate::ids;
use crate::wire::{RefundView, render};

/// Gives captured money back.
pub struct CreateRefund {
    pub intent: String,
    /// All that is left when absent.
    pub amount_minor: Option<i64>,
    pub reason: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl App {
    pub(super) fn refund(
        &self,
        request: CreateRefund,
        claim: Option<Claim>,
    ) -> Result<Done, AppError> {
        let delay_ms = i64::try_from(self.refund_settle_delay.as_millis()).unwrap_or(i64::MAX);
        let settles_at_ms = now_ms().saturating_add(delay_ms);
        self.change(&request.intent, claim, |account| {
            let mut intent = account.intent.clone();
            let amount_minor = intent.refund(request.amount_minor)?;
            let refund = Refund {
                id: ids::random("re"),
                sequence: self.books.next_sequence(),
                created: now(),
                intent: intent.id.clone(),
                charge: intent.charge.clone(),
                amount_minor,
                currency: intent.currency.clone(),
                state: RefundState::first(&intent, settles_at_ms),
                reason: request.reason,
                metadata: request.metadata,
            };
            let body = render(&RefundView::of(&refund)).map_err(AppError::from)?;
            Ok(Change {
                intent,
                refund: Some(refund),
                events: self.events(&[EventKind::ChargeRefunded]),
                answer: Answer { status: 200, body },
                lost: false,
            })
        })
    }
}
