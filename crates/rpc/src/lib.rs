//! gRPC as all services speak it: how a request is read and refused, how long
//! it may take, who calls, how it is answered again, and how a peer is
//! called.
//!
//! Not in here: what any verb does, any service's own types, and who is let
//! in (`edge`).

mod audit_log;
mod authorized;
mod budget;
mod call;
mod caller;
mod channel;
mod client;
mod content;
mod context;
mod fields;
mod item;
mod metrics;
mod paging;
mod problem;
mod remote;
mod replay;
mod share;
mod tasks;
mod watch;
mod wire;

pub use api::common::v1::ErrorReason as Reason;
pub use audit_log::AuditPage;
pub use authorized::{Authorized, InvalidToken, Token};
pub use budget::RetryBudget;
pub use call::call;
pub use caller::{ANY_CUSTOMER, Caller, NoCaller};
pub use channel::{Answer, Channel};
pub use client::{Error, PeerSettings, connect};
pub use context::{Admitted, Context, Deadline};
pub use fields::{Fields, etag};
pub use item::Item;
pub use paging::Pages;
pub use problem::Problem;
pub use remote::Remote;
pub use replay::{REPLAYED, respond};
pub use tasks::Tasks;
