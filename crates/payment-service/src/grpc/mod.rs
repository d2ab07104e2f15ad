//! The contract's edge: parse, act, render. Nothing is decided here.

mod admin;
mod batches;
mod calls;
pub mod every_request;
mod parse;
mod render;
mod service;
mod status;

pub use admin::Admin;
pub use service::Service;
