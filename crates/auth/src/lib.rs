//! Who calls: verifies signed tokens (JWT) by the public keys of an issuer
//! (JWKS), from a file or a URL.
//!
//! What a caller may do is not decided here. The algorithm of a token is
//! pinned by the key that its `kid` names; a token that names no key of ours
//! makes the keys be read anew, though seldom, and the last good keys stay in
//! use while the issuer cannot be read. [`developer`] is the issuer of a
//! laptop. Nothing here logs a token or puts it into an error.

mod authenticator;
mod base64url;
mod claims;
pub mod developer;
#[cfg(feature = "hostile")]
pub mod hostile;
mod identity;
mod keeper;
mod keys;
#[doc(hidden)]
pub mod offline;
mod proven;
mod rejected;
mod settings;
mod source;
mod token;

pub use authenticator::Authenticator;
pub use identity::{Identity, is_scope};
pub use rejected::Rejected;
pub use settings::{Invalid, Mode, Settings};
pub use source::Error;
