//! Where a payment, a capture or a refund stands.

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Recorded, not sent yet. Attempts are recorded as `Processing` at once,
    /// which spares a write: "sent" means "may have been sent".
    Created,
    /// Sent; the outcome is not known.
    Processing,
    RequiresAction,
    Authorized,
    PartiallyCaptured,
    Captured,
    Voided,
    Declined,
    Expired,
    Failed,
}

impl State {
    pub const ALL: [State; 10] = [
        State::Created,
        State::Processing,
        State::RequiresAction,
        State::Authorized,
        State::PartiallyCaptured,
        State::Captured,
        State::Voided,
        State::Declined,
        State::Expired,
        State::Failed,
    ];

    /// As in the contract: `PARTIALLY_CAPTURED`.
    pub fn name(self) -> &'static str {
        match self {
            State::Created => "CREATED",
            State::Processing => "PROCESSING",
            State::RequiresAction => "REQUIRES_ACTION",
            State::Authorized => "AUTHORIZED",
            State::PartiallyCaptured => "PARTIALLY_CAPTURED",
            State::Captured => "CAPTURED",
            State::Voided => "VOIDED",
            State::Declined => "DECLINED",
            State::Expired => "EXPIRED",
            State::Failed => "FAILED",
        }
    }

    /// The provider was asked and has not said yes or no.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            State::Created | State::Processing | State::RequiresAction
        )
    }

    /// Nobody knows whether the provider has it.
    pub fn is_unknown(self) -> bool {
        matches!(self, State::Created | State::Processing)
    }

    /// Ended without money.
    pub fn is_dead(self) -> bool {
        matches!(
            self,
            State::Voided | State::Declined | State::Expired | State::Failed
        )
    }

    /// Money is promised or was taken.
    pub fn is_funded(self) -> bool {
        matches!(
            self,
            State::Authorized | State::PartiallyCaptured | State::Captured
        )
    }

    /// May be captured, as far as the state goes.
    pub fn is_capturable(self) -> bool {
        matches!(self, State::Authorized | State::PartiallyCaptured)
    }
}

/// Where a capture or a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    Pending,
    Succeeded,
    Failed,
}
