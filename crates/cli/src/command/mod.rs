//! One file for each word after `cartwright`.

pub mod audit;
pub mod audit_log;
pub mod config;
pub mod demo;
pub mod keys;
pub mod login;
pub mod order;
pub mod payment;
mod progress;
pub mod replay;
pub mod saga;
pub mod stock;
mod timeline;
pub mod token;
pub mod trace;
mod watch;

pub use timeline::fetch as fetch_timeline;
