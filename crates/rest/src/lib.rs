//! HTTP and JSON for every RPC, by transcoding: a request becomes the message
//! that its `google.api.http` rule describes, goes through the very service
//! that takes gRPC (so who may call, limits and idempotency are one code), and
//! the answer becomes JSON. Nothing in here knows any single method.
//!
//! Not in here: sockets, TLS, CORS, who may do what, and any rule of the shop.

mod answer;
mod body;
mod call;
mod document;
mod frame;
mod json;
mod metrics;
mod problem;
mod query;
mod reason;
mod render;
mod request;
mod route;
mod router;
mod serve;
mod settings;
mod stream;
mod value;

pub use metrics::measured;
pub use router::{RouterError, router};
pub use settings::Settings;
