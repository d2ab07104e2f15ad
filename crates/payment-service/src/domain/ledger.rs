//! Double entries: what a capture or a refund means for the accounts.

use types::{OrderId, PaymentId};
use uuid::Uuid;

use super::{Capture, Payment, Refund};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LedgerAccount {
    /// Money that the provider owes us.
    Provider,
    /// Money that customers paid for orders.
    Sales,
    /// Money that was given back.
    Refunds,
}

/// One leg of a transaction; those of one transaction sum to 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    pub transaction: Uuid,
    pub payment: PaymentId,
    pub order: OrderId,
    pub account: LedgerAccount,
    /// A debit is positive, a credit negative.
    pub amount_minor: i64,
    pub currency: &'static str,
    pub reversal: bool,
}

impl Leg {
    /// The provider owes us what the customer paid.
    pub fn of_capture(payment: &Payment, capture: &Capture) -> [Leg; 2] {
        pair(
            payment,
            capture.id.as_uuid(),
            capture.amount_minor,
            [LedgerAccount::Provider, LedgerAccount::Sales],
            false,
        )
    }

    /// The provider owes us less, because it paid the customer back.
    pub fn of_refund(payment: &Payment, refund: &Refund) -> [Leg; 2] {
        pair(
            payment,
            refund.id.as_uuid(),
            refund.amount_minor,
            [LedgerAccount::Refunds, LedgerAccount::Provider],
            false,
        )
    }

    /// A refund that had succeeded came back.
    pub fn of_returned_refund(payment: &Payment, refund: &Refund) -> [Leg; 2] {
        pair(
            payment,
            refund.id.as_uuid(),
            -refund.amount_minor,
            [LedgerAccount::Refunds, LedgerAccount::Provider],
            true,
        )
    }
}

fn pair(
    payment: &Payment,
    transaction: Uuid,
    amount_minor: i64,
    [debit, credit]: [LedgerAccount; 2],
    reversal: bool,
) -> [Leg; 2] {
    let leg = |account, amount_minor| Leg {
        transaction,
        payment: payment.id,
        order: payment.order_id,
        account,
        amount_minor,
        currency: payment.currency.code(),
        reversal,
    };
    [leg(debit, amount_minor), leg(credit, -amount_minor)]
}
