//! Tokens that must be refused, each with a name that says what is wrong with
//! it, for the tests of this crate and of live services.
//!
//! Most are signed by the very key that the service trusts, so that nothing
//! but the flaw in their name can be why they are refused. A few cannot travel
//! in an HTTP header; whoever sends them leaves those out.

mod claims;
mod forge;
mod form;
mod header;
mod signature;

use crate::developer::Key;

/// A service that is attacked, and what it would accept.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its private half of a key that the service trusts.
    pub key: &'a Key,
    pub issuer: &'a str,
    pub audience: &'a str,
    pub subject: &'a str,
    /// Separated by spaces.
    pub scope: &'a str,
}

/// What is wrong, and the token.
pub type Case = (&'static str, String);

/// At least 60; each must be refused.
pub fn bad_tokens(target: &Target<'_>) -> Vec<Case> {
    let forge = forge::Forge::new(*target);
    let mut cases = signature::bad(&forge);
    cases.extend(header::bad(&forge));
    cases.extend(form::bad(&forge));
    cases.extend(claims::bad(&forge));
    cases
}

/// Unusual, but right: each must be accepted.
pub fn good_tokens(target: &Target<'_>) -> Vec<Case> {
    let forge = forge::Forge::new(*target);
    let mut cases = header::good(&forge);
    cases.extend(claims::good(&forge));
    cases
}
