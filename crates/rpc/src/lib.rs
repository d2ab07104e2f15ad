//! gRPC as all services speak it: how a request is read and refused, how long
//! it may take, who calls, how it is answered again, and how a server and a
//! client are set up.
//!
//! Not in here: what any verb does, and any service's own types.

mod admission;
mod client;
mod context;
mod edge;
mod fields;
mod paging;
mod problem;
mod remote;
mod replay;
mod server;
mod tasks;
mod wire;

pub use api::common::v1::ErrorReason as Reason;
pub use client::{PeerSettings, call, connect};
pub use context::{Caller, Context, Deadline};
pub use fields::{Fields, etag};
pub use paging::Pages;
pub use problem::Problem;
pub use remote::Remote;
pub use replay::respond;
pub use server::{Bound, Error, ServerSettings, bind};
pub use tasks::Tasks;
