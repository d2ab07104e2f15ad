//! Everything between a connection and a handler: who calls, whether that one
//! may, how much of it, how long, and whether there is a place. The same gate
//! stands before gRPC, gRPC-Web and REST.
//!
//! What a method needs is read from the contract at the start; a method that
//! does not say stops it. Not in here: whose object something is (the
//! services' SQL decides), what a token or a certificate proves (`auth`,
//! `listener`), and how JSON becomes a message (`rest`).

mod access;
mod admission;
mod body;
mod caller;
mod cors;
mod deadline;
mod framework;
mod gate;
mod layer;
mod metrics;
mod recording;
mod security_log;
mod serve;
mod settings;

#[doc(hidden)]
pub use deadline::asked as asked_timeout;
pub use layer::Gated;
pub use serve::{Bound, Error, Serving, bind};
pub use settings::{Cors, HttpSettings, ServerSettings, Settings};
