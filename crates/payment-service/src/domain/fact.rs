//! What the provider tells about a payment.

use types::{CaptureId, Money, RefundId};

/// Something that the provider says is so. It may come late, twice, or out of
/// order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Nothing new: read the payment as it is.
    Nothing,
    /// The intent as the provider had it at some time.
    Seen(Intent),
    /// The provider refused to make an intent, for good.
    Refused {
        code: String,
    },
    /// The provider never got the request, and will not get it any more.
    Absent,
    /// A capture was made. The intent may be newer than the capture.
    Captured(CaptureId),
    /// A capture was refused for good. `gone`: so will be every other one.
    CaptureRefused {
        capture: CaptureId,
        code: String,
        gone: bool,
    },
    Refund(RefundSeen),
}

/// A payment intent of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub reference: String,
    pub status: IntentStatus,
    pub amount: Money,
    /// Still held and not captured.
    pub capturable_minor: i64,
    pub received_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    /// The provider is at it, or it was made and never confirmed.
    Pending,
    /// The customer has done his part; the intent waits to be confirmed.
    ConfirmationRequired,
    ActionRequired {
        url: Option<String>,
    },
    Declined {
        code: String,
    },
    /// Money is held; a part of it may have been taken.
    Authorized,
    /// Money was taken, and nothing more is held.
    Captured,
    Canceled {
        /// By the provider, because the time was up.
        expired: bool,
    },
}

impl Intent {
    /// The provider would still take money for it, now or after an action.
    pub fn is_holding(&self) -> bool {
        match self.status {
            IntentStatus::Authorized
            | IntentStatus::ActionRequired { .. }
            | IntentStatus::ConfirmationRequired => true,
            IntentStatus::Pending
            | IntentStatus::Declined { .. }
            | IntentStatus::Captured
            | IntentStatus::Canceled { .. } => false,
        }
    }
}

/// A refund as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundSeen {
    pub refund: RefundId,
    /// `None`: refused, the provider has no such refund.
    pub reference: Option<String>,
    pub state: super::TransferState,
    pub failure_code: Option<String>,
}
