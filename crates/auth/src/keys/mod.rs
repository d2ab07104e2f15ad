//! The public keys of the issuer, as its JWKS lists them.

mod key;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use key::Key;

use crate::{Rejected, source::check_length};

const KEYS_MAX: usize = 100;

#[derive(Debug, PartialEq)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// Keys that are not for us, such as those for encryption, are passed
    /// over. A set without any that is for us is an error: it would turn
    /// everybody away, and is more likely a mistake than a wish.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        check_length(bytes)?;
        let set: Set = serde_json::from_slice(bytes)
            .map_err(|error| format!("not a JSON Web Key Set: {error}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("more than {KEYS_MAX} keys"));
        }
        let mut keys = Vec::new();
        let mut refused = Vec::new();
        for (index, jwk) in set.keys.into_iter().enumerate() {
            match Key::parse(jwk) {
                Ok(key) => keys.push(key),
                Err(reason) => refused.push(format!("key {index}: {reason}")),
            }
        }
        match keys.is_empty() {
            true if refused.is_empty() => Err("the set has no key".to_owned()),
            true => Err(format!("no key is usable: {}", refused.join("; "))),
            false => {
                for reason in refused {
                    tracing::info!(error = reason, "a key of the issuer is not used");
                }
                Ok(Self(keys))
            }
        }
    }

    /// The keys that a token may be signed with. A token without `kid` can
    /// mean one key only, where there is but one.
    pub(crate) fn named(&self, kid: Option<&str>) -> Result<Vec<&Key>, Rejected> {
        let named: Vec<&Key> = match (kid, self.0.as_slice()) {
            (None, [only]) => vec![only],
            (None, _) => Vec::new(),
            (Some(kid), all) => all.iter().filter(|key| key.is_named(kid)).collect(),
        };
        match named.is_empty() {
            true => Err(Rejected::UnknownKey),
            false => Ok(named),
        }
    }

    /// For logs.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(Key::name).collect()
    }
}
