//! Tokens that nobody trusted has signed.

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::{
    Case,
    forge::{Forge, changed},
};
use crate::{base64url, developer::Key};

pub(super) fn bad(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = unsigned(forge);
    cases.extend(by_the_public_key(forge));
    cases.extend(by_another_key(forge));
    cases.extend(tampered(forge));
    cases.extend(psychic(forge));
    cases
}

fn with_algorithm(forge: &Forge<'_>, name: &str) -> Value {
    changed(forge.header(), "alg", Some(name.into()))
}

fn unsigned(forge: &Forge<'_>) -> Vec<Case> {
    let none = |name: &str, signature: &str| {
        let message = forge.message(&with_algorithm(forge, name), &forge.claims());
        format!("{message}.{signature}")
    };
    let real = crypto_free_signature(forge);
    vec![
        ("alg none, no signature", none("none", "")),
        ("alg None, no signature", none("None", "")),
        ("alg NONE, no signature", none("NONE", "")),
        ("alg nOnE, no signature", none("nOnE", "")),
        ("alg none, some signature", none("none", "AAAA")),
        ("alg none, signature of a good token", none("none", &real)),
        ("alg empty", none("", &real)),
        ("alg null", {
            let header = changed(forge.header(), "alg", Some(Value::Null));
            forge.signed(&header, &forge.claims())
        }),
        ("alg missing", forge.without_header("alg")),
        ("alg a list", forge.with_header("alg", json!(["EdDSA"]))),
        ("alg in lower case", forge.with_header("alg", "eddsa")),
        ("alg with a space", forge.with_header("alg", "EdDSA ")),
        ("alg unknown", forge.with_header("alg", "XX999")),
        ("no signature", {
            format!("{}.", forge.message(&forge.header(), &forge.claims()))
        }),
    ]
}

/// The signature part of a good token.
fn crypto_free_signature(forge: &Forge<'_>) -> String {
    let good = forge.good();
    let signature = good.rsplit('.').next();
    signature.unwrap_or_default().to_owned()
}

/// What is public must not serve as a shared secret.
fn by_the_public_key(forge: &Forge<'_>) -> Vec<Case> {
    let jwk = forge.key().jwk();
    let x = jwk["x"].as_str().unwrap_or_default().to_owned();
    let raw = base64url::decode(&x).unwrap_or_default();
    let hmac = |algorithm, name, secret: &[u8]| {
        let message = forge.message(&with_algorithm(forge, name), &forge.claims());
        let key = EncodingKey::from_secret(secret);
        let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap_or_default();
        format!("{message}.{signature}")
    };
    let (hs256, hs384, hs512) = (Algorithm::HS256, Algorithm::HS384, Algorithm::HS512);
    let document = forge.key().jwks();
    vec![
        ("HS256 by the public key", hmac(hs256, "HS256", &raw)),
        ("HS384 by the public key", hmac(hs384, "HS384", &raw)),
        ("HS512 by the public key", hmac(hs512, "HS512", &raw)),
        (
            "HS256 by the public key as text",
            hmac(hs256, "HS256", x.as_bytes()),
        ),
        (
            "HS256 by the JWKS",
            hmac(hs256, "HS256", document.as_bytes()),
        ),
        ("HS256 by an empty secret", hmac(hs256, "HS256", b"")),
        ("HS256 called EdDSA", hmac(hs256, "EdDSA", &raw)),
    ]
}

fn by_another_key(forge: &Forge<'_>) -> Vec<Case> {
    let Ok(eve) = Key::generate() else {
        return Vec::new();
    };
    let by_eve = |header: &Value| eve.sign(&header.to_string(), &forge.claims().to_string());
    let with = |name: &str, value: Value| by_eve(&changed(forge.header(), name, Some(value)));
    let mut own = changed(forge.header(), "kid", Some(eve.kid().into()));
    own["jwk"] = eve.jwk();
    vec![
        ("another key under our kid", by_eve(&forge.header())),
        (
            "another key under its own kid",
            with("kid", eve.kid().into()),
        ),
        ("another key, brought along (jwk)", with("jwk", eve.jwk())),
        ("another key, brought along under its kid", by_eve(&own)),
        ("another key, pointed to (jku)", {
            with("jku", "https://eve.example/jwks.json".into())
        }),
        ("another key, pointed to (jku on this host)", {
            with("jku", "http://127.0.0.1:9/jwks.json".into())
        }),
        ("another key, pointed to (x5u)", {
            with("x5u", "https://eve.example/chain.pem".into())
        }),
        ("another key, with a chain (x5c)", {
            with("x5c", json!(["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]))
        }),
        ("another key, kid missing", {
            by_eve(&changed(forge.header(), "kid", None))
        }),
    ]
}

fn tampered(forge: &Forge<'_>) -> Vec<Case> {
    let good = forge.good();
    let mut parts = good.split('.');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (header, payload, signature) = (next(), next(), next());
    let eve = changed(forge.claims(), "sub", Some("eve".into()));
    let eve = base64url::encode(eve.to_string());
    let later = changed(forge.claims(), "exp", Some((forge.now + 9999).into()));
    let later = base64url::encode(later.to_string());
    let other_header = changed(forge.header(), "typ", Some("JWT".into()));
    let other_header = base64url::encode(other_header.to_string());
    let flipped = |at: usize| {
        let mut bytes = base64url::decode(&signature).unwrap_or_default();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        base64url::encode(bytes)
    };
    let half = &signature[..signature.len() / 2];
    vec![
        ("the payload changed", format!("{header}.{eve}.{signature}")),
        (
            "the expiry changed",
            format!("{header}.{later}.{signature}"),
        ),
        (
            "the header changed",
            format!("{other_header}.{payload}.{signature}"),
        ),
        (
            "the first bit of the signature",
            format!("{header}.{payload}.{}", flipped(0)),
        ),
        (
            "the last bit of the signature",
            format!("{header}.{payload}.{}", flipped(63)),
        ),
        (
            "half of the signature",
            format!("{header}.{payload}.{half}"),
        ),
        (
            "the signature twice",
            format!("{header}.{payload}.{signature}{signature}"),
        ),
        (
            "header and payload swapped",
            format!("{payload}.{header}.{signature}"),
        ),
    ]
}

/// Signatures of zeros, which some verifiers of curves have taken for right.
fn psychic(forge: &Forge<'_>) -> Vec<Case> {
    let zeros = |name: &str, length: usize| {
        let message = forge.message(&with_algorithm(forge, name), &forge.claims());
        format!("{message}.{}", base64url::encode(vec![0; length]))
    };
    vec![
        ("EdDSA, a signature of zeros", zeros("EdDSA", 64)),
        ("ES256, a signature of zeros", zeros("ES256", 64)),
        ("ES384, a signature of zeros", zeros("ES384", 96)),
        ("RS256, a signature of zeros", zeros("RS256", 256)),
        ("PS256, a signature of zeros", zeros("PS256", 256)),
        ("ES256, a signature in DER of zeros", {
            let message = forge.message(&with_algorithm(forge, "ES256"), &forge.claims());
            format!(
                "{message}.{}",
                base64url::encode([0x30, 6, 2, 1, 0, 2, 1, 0])
            )
        }),
    ]
}
