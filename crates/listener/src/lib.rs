//! Takes connections, for every API of a process: HTTP/1.1 and HTTP/2 on one
//! port, with or without TLS, within limits, and with an end.
//!
//! A connection costs its client nothing, so each has a limit here: how many
//! there are, how long one may take to say something, how long it may stay
//! silent, how much it may send before a request is one, how old it gets.
//! Not in here: what is answered, who may ask it, and how often.

mod activity;
mod body;
mod connection;
mod limits;
mod peer;
mod places;
mod seldom;
mod serve;
mod service;
pub mod tls;
mod watched;

pub use body::{Body, BodyError};
pub use limits::Limits;
pub use peer::Peer;
pub use serve::{Bound, Error, bind};
pub use tls::Tls;
