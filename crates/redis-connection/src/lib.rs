//! Where Redis is and how to get in, for everybody who speaks to it: what an
//! operator sets, and a handle through which a new address or a new password
//! reaches connections that are opened later. What is said over a connection
//! is not known here.

mod handle;
mod settings;

pub use handle::{Connection, Redis};
pub use settings::Settings;
