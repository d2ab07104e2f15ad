//! SQL only. Functions take a connection and give values of the domain; none
//! begins or commits. Rows of an order are written only while it is locked or
//! claimed.

pub mod audit;
pub mod order_events;
pub mod order_lines;
pub mod order_works;
pub mod orders;
mod rows;
pub mod sagas;

pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
