//! The API key, as a bearer token or as the user name of basic authentication.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::wire::Problem;

/// The key itself is never told, not even the wrong one.
pub fn check(headers: &HeaderMap, api_key: &SecretString) -> Result<(), Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(given_key);
    let Some(given) = given else {
        return Err(unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        ));
    };
    let right = given
        .as_bytes()
        .ct_eq(api_key.expose_secret().as_bytes())
        .into();
    match right {
        true => Ok(()),
        false => Err(unauthorized("Invalid API Key provided.")),
    }
}

fn given_key(value: &http::HeaderValue) -> Option<String> {
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        let (user, _) = decoded.split_once(':')?;
        return Some(user.to_owned());
    }
    None
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(401, "invalid_request_error", message)
}
