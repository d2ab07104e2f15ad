//! Who did what: an append-only log in the service's own database.
//!
//! An entry is written in the transaction of the act it speaks of, so there is
//! no act without an entry and no entry without an act. The database itself
//! refuses to change or delete entries. Calls that were not even admitted are
//! lines of the process's log and not in here; reads are no acts.

mod list;
mod record;

pub use list::{Filter, Recorded, list};
pub use record::{Entry, Outcome, record};

/// The table `audit_log`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
