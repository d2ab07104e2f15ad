//! How enums and other values of the domain stand in the tables.

use types::Currency;

use crate::domain::{LedgerAccount, State, TransferState};

pub(super) fn of_state(state: State) -> i16 {
    match state {
        State::Created => 1,
        State::Processing => 2,
        State::RequiresAction => 3,
        State::Authorized => 4,
        State::PartiallyCaptured => 5,
        State::Captured => 6,
        State::Voided => 7,
        State::Declined => 8,
        State::Expired => 9,
        State::Failed => 10,
    }
}

pub(super) fn state(code: i16) -> sqlx::Result<State> {
    let known = State::ALL
        .into_iter()
        .find(|state| of_state(*state) == code);
    known.ok_or_else(|| unknown("state", code))
}

pub(super) fn of_transfer_state(state: TransferState) -> i16 {
    match state {
        TransferState::Pending => 1,
        TransferState::Succeeded => 2,
        TransferState::Failed => 3,
    }
}

pub(super) fn transfer_state(code: i16) -> sqlx::Result<TransferState> {
    match code {
        1 => Ok(TransferState::Pending),
        2 => Ok(TransferState::Succeeded),
        3 => Ok(TransferState::Failed),
        _ => Err(unknown("state of a transfer", code)),
    }
}

pub(super) fn of_account(account: LedgerAccount) -> i16 {
    match account {
        LedgerAccount::Provider => 1,
        LedgerAccount::Sales => 2,
        LedgerAccount::Refunds => 3,
    }
}

pub(super) fn account(code: i16) -> sqlx::Result<LedgerAccount> {
    match code {
        1 => Ok(LedgerAccount::Provider),
        2 => Ok(LedgerAccount::Sales),
        3 => Ok(LedgerAccount::Refunds),
        _ => Err(unknown("account", code)),
    }
}

pub(super) fn currency(code: &str) -> sqlx::Result<Currency> {
    Currency::parse(code).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn unknown(what: &str, code: i16) -> sqlx::Error {
    sqlx::Error::Decode(format!("no {what} has the code {code}").into())
}
