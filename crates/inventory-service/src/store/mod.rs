//! SQL, and nothing but SQL: free functions on a connection that the caller
//! has begun and will commit.
//!
//! # The order of locks
//!
//! Every transaction takes its locks in this order and never goes back, so
//! that no two of them wait for each other:
//!
//! 1. existing `reservations`, by order id;
//! 2. new `stock_levels`, by SKU and location (inserting waits only for a
//!    transaction that has inserted the same row and so is past this point);
//! 3. existing `stock_levels`, by SKU and location;
//! 4. new `reservations`, by order id (likewise);
//! 5. the lock of the movements, see [`movements`];
//! 6. idempotency keys, which the caller records last.
//!
//! Hence a Reserve finds the overdue holds in its way, and a forced adjustment
//! its victims, before it locks a level: it looks without locks, locks those
//! reservations, then the levels, and then decides on what is true by now. The
//! sweeper skips locked reservations and so never waits in step 1.
//!
//! Whoever changes items locks them first of all, by SKU. Everybody else reads
//! them without locks, except that step 2 shares a lock on them, by SKU, too.

pub mod applied;
pub mod audit;
mod codes;
pub mod conflict;
pub mod items;
pub mod levels;
pub mod locations;
pub mod movements;
pub mod reservation_lines;
pub mod reservations;
mod rows;
pub mod stockroom;

/// Lets every further statement of a transaction that has just begun see the
/// same state.
pub async fn snapshot(conn: &mut database::Connection) -> database::Result<()> {
    sqlx::query("set transaction isolation level repeatable read read only")
        .execute(conn)
        .await?;
    Ok(())
}
