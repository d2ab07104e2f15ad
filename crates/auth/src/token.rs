//! A token in its compact form: three parts, and a header that asks for
//! nothing unusual.

use serde::Deserialize;
use serde_json::Value;

use crate::{Rejected, base64url};

const BYTES_MAX: usize = 8 * 1024;
const KID_BYTES_MAX: usize = 256;

/// Not verified.
pub(crate) struct Token<'a> {
    pub(crate) header: Header,
    /// What the signature is over.
    pub(crate) message: &'a str,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: &'a str,
}

/// What the header says that matters. Keys that it brings along or points to
/// (`jwk`, `jku`, `x5u`, `x5c`) do not: only those of the issuer count.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    #[serde(default)]
    pub(crate) kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    cty: bool,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    b64: bool,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
    #[serde(default, deserialize_with = "present")]
    enc: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Value::deserialize(deserializer).map(|_| true)
}

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Rejected> {
        if text.len() > BYTES_MAX {
            return Err(Rejected::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Rejected::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Rejected::Malformed)?;
        // A fourth part would leave a dot in the payload, which is no base64url.
        let header = base64url::decode(header).ok_or(Rejected::Malformed)?;
        let payload = base64url::decode(payload).ok_or(Rejected::Malformed)?;
        if signature.is_empty() || base64url::decode(signature).is_none() {
            return Err(Rejected::Malformed);
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| Rejected::Malformed)?;
        header.check()?;
        Ok(Self {
            header,
            message,
            payload,
            signature,
        })
    }
}

impl Header {
    fn check(&self) -> Result<(), Rejected> {
        let unusual = self.cty || self.crit || self.b64 || self.zip || self.enc;
        let kid = self.kid.as_deref().unwrap_or("-");
        let readable = (1..=KID_BYTES_MAX).contains(&kid.len());
        match !unusual && readable && self.is_access_token() {
            true => Ok(()),
            false => Err(Rejected::Header),
        }
    }

    /// Other types of token may be signed by the same keys, and mean something
    /// else: a logout, a proof of possession.
    fn is_access_token(&self) -> bool {
        let Some(typ) = &self.typ else { return true };
        let typ = typ.to_ascii_lowercase();
        matches!(
            typ.as_str(),
            "jwt" | "at+jwt" | "application/at+jwt" | "application/jwt"
        )
    }
}
