//! One file for each word after `cartwright`.

pub mod audit;
pub mod demo;
pub mod order;
pub mod payment;
mod progress;
pub mod replay;
pub mod saga;
pub mod stock;
mod timeline;
mod watch;

pub use timeline::fetch as fetch_timeline;
