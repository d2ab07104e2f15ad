//! Verification without its surroundings: token, keys and time in, verdict
//! out. For the fuzz targets; a service keeps keys fresh and has a clock.

use crate::{
    Identity, Rejected, Settings, authenticator::proven, claims::Rules, keys::Keys, token::Token,
};

/// As [`crate::Authenticator::verify`], at the second `now` since 1970.
pub fn verify(
    token: &str,
    jwks: &[u8],
    settings: &Settings,
    now: u64,
) -> Result<Identity, Rejected> {
    let keys = Keys::parse(jwks).map_err(|_| Rejected::KeysUnavailable)?;
    let token = Token::parse(token)?;
    judge(proven(&token, &keys)?, settings, now)
}

/// What a payload is worth that the issuer signed.
pub fn judge(payload: &[u8], settings: &Settings, now: u64) -> Result<Identity, Rejected> {
    let rules = Rules::of(settings).map_err(|_| Rejected::KeysUnavailable)?;
    rules.judge(payload, now)
}

/// The names of the keys of a JWKS, or what is wrong with it.
pub fn key_names(jwks: &[u8]) -> Result<Vec<String>, String> {
    let keys = Keys::parse(jwks)?;
    Ok(keys.names().into_iter().map(str::to_owned).collect())
}
