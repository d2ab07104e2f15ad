//! Who calls: by a token, or by the certificate of a service.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use api::contract::Method;
use auth::{Authenticator, Identity, Rejected};
use http::{HeaderMap, header::AUTHORIZATION};
use listener::Peer;
use rpc::{Caller, NoCaller, Problem, Reason};

use crate::access;

/// The subjects that only services have.
const SERVICE: &str = "service:";

/// Who calls, and how that is known.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    /// For how long the proof holds; `None`: as long as the connection.
    pub(crate) valid_for: Option<Duration>,
}

/// Why it is not known who calls.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) problem: Problem,
    /// Never the token.
    pub(crate) token_error: Option<&'static str>,
}

impl Visitor {
    pub(crate) fn local() -> Self {
        Self {
            caller: Caller::local(),
            valid_for: None,
        }
    }

    /// A service of the shop: it is not slowed down by limits that are there
    /// for strangers, since its peers would stop in the middle of their work.
    pub(crate) fn is_service(&self) -> bool {
        self.caller.customer().is_none() && self.caller.principal().starts_with(SERVICE)
    }
}

/// What kind of caller it is, for telemetry; of people never who.
pub(crate) fn kind(caller: &Caller) -> Cow<'static, str> {
    let principal = caller.principal();
    match caller.customer() {
        Some(_) => "customer".into(),
        None if principal.starts_with(SERVICE) => principal.to_owned().into(),
        None if principal == Caller::local().principal() => "local".into(),
        None => "staff".into(),
    }
}

/// By its certificate, where the caller brings no token: `None` without one.
///
/// # Errors
/// `SCOPE_MISSING` when the certificate does not open this method.
pub(crate) fn by_certificate(
    method: &Method,
    peer: &Peer,
    headers: &HeaderMap,
) -> Option<Result<Visitor, Problem>> {
    if headers.contains_key(AUTHORIZATION) || peer.names.is_empty() {
        return None;
    }
    let named = method.peers.iter().find(|name| peer.is(name));
    Some(match named {
        Some(name) => Ok(Visitor {
            caller: Caller::peer(name),
            valid_for: None,
        }),
        None => Err(access::closed_to_peer(method)),
    })
}

/// By the token of `authorization: Bearer ...`.
///
/// # Errors
/// `UNAUTHENTICATED`, or `UNAVAILABLE` while nobody's token can be verified.
pub(crate) async fn by_token(
    authenticator: &Authenticator,
    headers: &HeaderMap,
) -> Result<Visitor, Unknown> {
    let token = bearer(headers)?;
    let identity = authenticator.verify(token).await.map_err(rejected)?;
    let valid_for = identity.expires_at.duration_since(SystemTime::now());
    Ok(Visitor {
        caller: caller(&identity)?,
        valid_for: Some(valid_for.unwrap_or_default()),
    })
}

fn caller(identity: &Identity) -> Result<Caller, Unknown> {
    let scopes = identity.scopes.iter().cloned().collect();
    let caller = Caller::token(&identity.subject, scopes, identity.client.as_deref());
    caller.map_err(|error| {
        let label = match error {
            NoCaller::Subject => "subject",
            NoCaller::Service => "service_subject",
        };
        unknown(label, error.to_string())
    })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Unknown> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let malformed = || unknown("malformed", "expected one `authorization: Bearer TOKEN`");
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(unknown("missing", "a token is needed")),
        (Some(value), None) => value.to_str().map_err(|_| malformed())?,
        (Some(_), Some(_)) => return Err(malformed()),
    };
    let (scheme, token) = value.split_once(' ').ok_or_else(malformed)?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token),
        false => Err(malformed()),
    }
}

fn rejected(why: Rejected) -> Unknown {
    if why.is_temporary() {
        return Unknown {
            problem: Problem::unavailable("tokens cannot be verified at the moment"),
            token_error: Some(why.label()),
        };
    }
    unknown(why.label(), why.to_string())
}

fn unknown(label: &'static str, message: impl Into<String>) -> Unknown {
    let problem = Problem::new(Reason::Unauthenticated, message);
    Unknown {
        problem: problem.with_metadata("token_error", label),
        token_error: Some(label),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn label(values: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers).err().and_then(|error| error.token_error)
    }

    #[test]
    fn one_bearer_token_is_taken_and_nothing_else() {
        assert_eq!(label(&["Bearer abc"]), None);
        assert_eq!(label(&["bearer abc"]), None);
        assert_eq!(label(&[]), Some("missing"));
        for bad in ["", "Bearer", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(label(&[bad]), Some("malformed"), "{bad:?}");
        }
        assert_eq!(label(&["Bearer a", "Bearer b"]), Some("malformed"));
    }
}
