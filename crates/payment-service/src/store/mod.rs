//! SQL, and only SQL. Each function takes a connection and neither begins nor
//! commits; most take many rows at once, one statement per table.

pub mod audit;
pub mod captures;
mod codes;
pub mod ledger_entries;
pub mod order_tombstones;
pub mod payments;
pub mod refunds;
pub mod webhook_events;
