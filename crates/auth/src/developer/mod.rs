//! The issuer of a laptop: a key pair in a file, its public half as a JWKS,
//! and short-lived tokens signed with it.
//!
//! Not for production: who can read the key file can be anybody.

mod file;
mod key;

pub use file::{Error, replace};
pub use key::{Key, Mint};

/// What the tokens of a laptop have as `iss`.
pub const ISSUER: &str = "cartwright-local";
/// What tokens have as `aud`.
pub const AUDIENCE: &str = "cartwright";
