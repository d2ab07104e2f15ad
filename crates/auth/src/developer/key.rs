//! An Ed25519 key pair that signs tokens.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::file::Error;
use crate::base64url;

const PEM_HEAD: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_TAIL: &str = "-----END PRIVATE KEY-----";

pub struct Key {
    pair: Ed25519KeyPair,
    kid: String,
}

/// What a token shall say.
#[derive(Debug, Clone)]
pub struct Mint<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub subject: &'a str,
    pub scopes: &'a [String],
    pub client: Option<&'a str>,
    pub lifetime: Duration,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish()
    }
}

impl Key {
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        let pair = Ed25519KeyPair::generate().map_err(|_| Error::Randomness)?;
        Ok(Self::of(pair))
    }

    /// Its name in the JWKS: the key's thumbprint as RFC 7638 defines it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as one entry of a JWKS.
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid,
            "x": base64url::encode(self.pair.public_key()),
        })
    }

    /// The public half, as a JWKS of one key.
    pub fn jwks(&self) -> String {
        format!("{:#}\n", json!({ "keys": [self.jwk()] }))
    }

    /// A signed token, issued now.
    pub fn mint(&self, mint: &Mint<'_>) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.kid });
        self.sign(&header.to_string(), &mint.claims(now()).to_string())
    }

    /// Whether `token` is one that this key minted for the same purpose, and
    /// has so much of its lifetime left.
    pub fn is_current(&self, token: &str, mint: &Mint<'_>, left: Duration) -> bool {
        let Some((message, signature)) = token.trim().rsplit_once('.') else {
            return false;
        };
        let minted: Option<Value> = message
            .split_once('.')
            .and_then(|(_, payload)| base64url::decode(payload))
            .and_then(|payload| serde_json::from_slice(&payload).ok());
        let (Some(minted), Some(signature)) = (minted, base64url::decode(signature)) else {
            return false;
        };
        let wanted = mint.claims(now());
        let same = |name: &str| minted[name] == wanted[name];
        let public = UnparsedPublicKey::new(&ED25519, self.pair.public_key());
        public.verify(message.as_bytes(), &signature).is_ok()
            && ["iss", "aud", "sub", "scope", "client_id"]
                .into_iter()
                .all(same)
            && minted["exp"].as_u64() >= Some(now() + left.as_secs())
    }

    /// Signs any header and any payload, also such as must be refused.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let (header, payload) = (base64url::encode(header), base64url::encode(payload));
        self.sign_parts(&format!("{header}.{payload}"))
    }

    pub(crate) fn sign_parts(&self, message: &str) -> String {
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", base64url::encode(signature))
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let x = base64url::encode(pair.public_key());
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = base64url::encode(Sha256::digest(members));
        Self { pair, kid }
    }

    pub(super) fn to_pem(&self) -> Result<String, Error> {
        let document = self.pair.to_pkcs8().map_err(|_| Error::Randomness)?;
        let body = STANDARD.encode(document);
        Ok(format!("{PEM_HEAD}\n{body}\n{PEM_TAIL}\n"))
    }

    /// `None` when it is not the PEM of an Ed25519 key (PKCS #8).
    pub(super) fn of_pem(pem: &str) -> Option<Self> {
        let body = pem.trim().strip_prefix(PEM_HEAD)?.strip_suffix(PEM_TAIL)?;
        let body: String = body.split_whitespace().collect();
        let document = STANDARD.decode(body).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(&document).ok()?;
        Some(Self::of(pair))
    }
}

impl Mint<'_> {
    fn claims(&self, now: u64) -> Value {
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.subject,
            "scope": self.scopes.join(" "),
            "iat": now,
            "exp": now + self.lifetime.as_secs(),
        });
        if let Some(client) = self.client {
            claims["client_id"] = client.into();
        }
        claims
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
