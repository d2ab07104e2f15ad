//! Makes a token that is good but for one thing.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::Target;
use crate::{base64url, developer::Key};

pub(super) struct Forge<'a> {
    pub(super) target: Target<'a>,
    pub(super) now: u64,
}

impl<'a> Forge<'a> {
    pub(super) fn new(target: Target<'a>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        Self { target, now }
    }

    pub(super) fn key(&self) -> &'a Key {
        self.target.key
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.key().kid() })
    }

    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.target.issuer,
            "aud": self.target.audience,
            "sub": self.target.subject,
            "scope": self.target.scope,
            "iat": self.now,
            "exp": self.now + 600,
        })
    }

    pub(super) fn good(&self) -> String {
        self.signed(&self.header(), &self.claims())
    }

    /// The first two parts of a token, which the signature is over.
    pub(super) fn message(&self, header: &Value, claims: &Value) -> String {
        let parts = [header, claims].map(|part| base64url::encode(part.to_string()));
        parts.join(".")
    }

    pub(super) fn signed(&self, header: &Value, claims: &Value) -> String {
        self.key().sign(&header.to_string(), &claims.to_string())
    }

    pub(super) fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        let claims = changed(self.claims(), name, Some(value.into()));
        self.signed(&self.header(), &claims)
    }

    pub(super) fn without_claim(&self, name: &str) -> String {
        self.signed(&self.header(), &changed(self.claims(), name, None))
    }

    pub(super) fn with_header(&self, name: &str, value: impl Into<Value>) -> String {
        let header = changed(self.header(), name, Some(value.into()));
        self.signed(&header, &self.claims())
    }

    pub(super) fn without_header(&self, name: &str) -> String {
        self.signed(&changed(self.header(), name, None), &self.claims())
    }

    /// The payload with one more member written after the others, as it
    /// stands in `member`: `"sub":"eve"`.
    pub(super) fn with_second(&self, member: &str) -> String {
        let claims = twice(&self.claims(), member);
        self.key().sign(&self.header().to_string(), &claims)
    }
}

pub(super) fn changed(object: Value, name: &str, value: Option<Value>) -> Value {
    let mut members = match object {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    Value::Object(members)
}

pub(super) fn twice(object: &Value, member: &str) -> String {
    let text = object.to_string();
    let open = text.strip_suffix('}').unwrap_or(&text);
    format!("{open},{member}}}")
}
