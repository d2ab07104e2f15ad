//! What comes in over HTTP: the provider's webhooks.

mod signature;
mod webhooks;

pub use signature::{SignatureError, sign, verify};
pub use webhooks::router;

/// Where webhooks come in.
pub(crate) const ROUTE: &str = "/webhooks/{provider}";
