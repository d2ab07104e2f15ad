//! Payments as they are, without I/O, clock, SQL or proto: which states there
//! are, what may be asked of each, and how what the provider tells changes
//! them. Whoever tells it (a reply, a webhook, the reconciler), it goes
//! through [`Account::apply`].

mod account;
mod fact;
mod ledger;
mod payment;
mod state;
mod transfer;
mod transitions;

pub use account::{Account, Change, Happened, NextCheck, Verdict};
pub use fact::{Fact, Intent, IntentStatus, RefundSeen};
pub use ledger::{LedgerAccount, Leg};
pub use payment::{AMOUNT_MINOR_MAX, ATTEMPT_MAX, NewPayment, Payment, Refused};
pub use state::{State, TransferState};
pub use transfer::{Capture, Refund};
