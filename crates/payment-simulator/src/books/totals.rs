//! The sums of the books per currency, for an audit.

use serde::Serialize;

use super::Account;
use super::intent::Status;
use super::refund::RefundState;

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub intents: u64,
    /// Approved by the bank at some time, whatever came after.
    pub authorized_count: u64,
    pub authorized_minor: i64,
    /// Still held and not captured.
    pub capturable_minor: i64,
    pub captured_count: u64,
    pub captured_minor: i64,
    pub canceled_count: u64,
    pub refund_count: u64,
    /// Refunds that succeeded.
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
    pub refund_failed_minor: i64,
}

impl Totals {
    pub fn add(&mut self, account: &Account) {
        let intent = &account.intent;
        self.intents += 1;
        if intent.authorized {
            self.authorized_count += 1;
            self.authorized_minor += intent.amount_minor;
        }
        self.capturable_minor += intent.capturable_minor();
        self.captured_count += u64::from(intent.captured_minor > 0);
        self.captured_minor += intent.captured_minor;
        self.canceled_count += u64::from(intent.status == Status::Canceled);
        for refund in &account.refunds {
            self.refund_count += 1;
            match refund.state {
                RefundState::Pending { .. } => self.refund_pending_minor += refund.amount_minor,
                RefundState::Succeeded => self.refunded_minor += refund.amount_minor,
                RefundState::Failed => self.refund_failed_minor += refund.amount_minor,
            }
        }
    }
}
