//! What can be asked of the service: one file per verb. Only here are
//! transactions begun and committed.
//!
//! The hot verbs are gathered: while one batch of a verb commits, further
//! calls wait and become the next batch. Each verb takes a slice, so a single
//! call is a slice of one and there is no second code path.

mod adjust_stock;
mod batch_upsert_items;
mod check_availability;
mod commit;
mod error;
mod expire_holds;
mod extend;
mod fulfill;
mod gathered;
mod get_reservation;
mod get_stock;
mod list_audit_entries;
mod list_locations;
mod list_movements;
mod list_reservations;
mod list_stock;
mod prune_keys;
mod release;
mod reserve;
mod return_to_stock;
mod run_audit;
mod set_stock;
mod transfer_stock;
mod upsert_item;
mod upsert_location;
mod watch_stock;

pub use adjust_stock::{AdjustStock, StockAdjusted};
pub use batch_upsert_items::{BatchUpsertItems, ItemsStored};
pub use check_availability::Availability;
pub use commit::{Commit, Committed};
pub use error::Error;
pub use extend::{Extend, Extended, Extension};
pub use fulfill::{Fulfill, Fulfilled};
pub use get_stock::Stock;
pub use release::{Release, Released, Surrender};
pub use reserve::{Held, Reserve, Reserved};
pub use return_to_stock::{ReturnToStock, Returned};
pub use set_stock::{SetStock, StockSet};
pub use transfer_stock::{StockTransferred, TransferStock};
pub use upsert_item::{ItemChange, ItemStored, UpsertItem};
pub use upsert_location::{LocationChange, LocationStored, UpsertLocation};
pub use watch_stock::{Head, Seen, Watch};

use database::Database;
use idempotency::{Answered, Call, Failure, Verb};

use gathered::Gathered;

/// Everything that the verbs share; cheap to clone.
#[derive(Clone)]
pub struct App {
    db: Database,
    after_commit: AfterCommit,
    reserve: Gathered<Reserve>,
    commit: Gathered<Commit>,
    release: Gathered<Release>,
    fulfill: Gathered<Fulfill>,
    return_to_stock: Gathered<ReturnToStock>,
    adjust_stock: Gathered<AdjustStock>,
    set_stock: Gathered<SetStock>,
}

/// Wakes those in this process who otherwise look from time to time.
#[derive(Clone)]
pub struct AfterCommit {
    pub relay: outbox::Wake,
    pub head: Head,
}

impl AfterCommit {
    fn wake(&self) {
        self.relay.wake();
        self.head.look_again();
    }
}

impl App {
    /// Starts the workers of the gathered verbs on the current runtime.
    pub fn new(db: Database, after_commit: AfterCommit) -> Self {
        Self {
            reserve: Gathered::spawn("reserve", Reserve, &db, &after_commit),
            commit: Gathered::spawn("commit", Commit, &db, &after_commit),
            release: Gathered::spawn("release", Release, &db, &after_commit),
            fulfill: Gathered::spawn("fulfill", Fulfill, &db, &after_commit),
            return_to_stock: Gathered::spawn("return_to_stock", ReturnToStock, &db, &after_commit),
            adjust_stock: Gathered::spawn("adjust_stock", AdjustStock, &db, &after_commit),
            set_stock: Gathered::spawn("set_stock", SetStock, &db, &after_commit),
            db,
            after_commit,
        }
    }

    pub(crate) fn head(&self) -> &Head {
        &self.after_commit.head
    }

    /// For reads of several statements that must agree with each other. To be
    /// dropped: there is nothing to commit.
    async fn snapshot(&self) -> Result<database::Tx, Error> {
        let mut tx = self.db.begin().await?;
        crate::store::snapshot(&mut tx).await?;
        Ok(tx)
    }

    /// Runs a verb that is not worth gathering.
    async fn once<V: Verb<Error = Error>>(&self, verb: V, call: Call<V::Input>) -> Answered<V> {
        let answers = idempotency::once(&self.db, &verb, &[call]).await;
        self.after_commit.wake();
        let answer = answers.into_iter().next();
        answer.unwrap_or(Err(Failure::Refused(Error::BrokeDown)))
    }
}
