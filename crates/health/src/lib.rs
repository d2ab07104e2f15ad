//! Whether this process has started, lives and wants work: over HTTP for the
//! kubelet and people, over `grpc.health.v1` for clients and balancers.
//!
//! Both are computed from one state when asked, so they never disagree. A
//! process is ready when every latch was released, it does not drain, and all
//! probes answer. `live` looks at nothing: a restart heals no database.

mod grpc;
mod http;
mod latch;
mod probe;
mod report;
mod state;

pub use grpc::GrpcHealth;
pub use http::{router, serve};
pub use latch::Latch;
pub use report::{Check, Report};
pub use state::Health;
