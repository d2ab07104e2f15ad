//! Stripe's signature of a webhook: HMAC-SHA256 over `timestamp.body`, computed
//! from the bytes as they came.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// An event that was signed longer ago, or in the future, may be a replay.
const AGE_S_MAX: u64 = 300;
const SCHEME: &str = "v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header Stripe-Signature is missing or malformed")]
    Malformed,
    #[error("the signature is older than {AGE_S_MAX} s, or from the future")]
    OutOfTime,
    #[error("the signature does not fit the body")]
    Wrong,
}

/// Whether one of `secrets` has signed `body`. During a rotation there are two.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now_s: i64,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = read(header).ok_or(SignatureError::Malformed)?;
    if now_s.abs_diff(timestamp) > AGE_S_MAX {
        return Err(SignatureError::OutOfTime);
    }
    // All are compared, whichever fits.
    let mut fits = Choice::from(0);
    for secret in secrets {
        let Some(right) = mac(secret.expose_secret(), timestamp, body) else {
            continue;
        };
        for signature in &signatures {
            fits |= right.as_slice().ct_eq(signature);
        }
    }
    match fits.into() {
        true => Ok(()),
        false => Err(SignatureError::Wrong),
    }
}

/// The header that a provider with this secret sends.
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let signature = mac(secret, timestamp, body).unwrap_or_default();
    format!("t={timestamp},{SCHEME}={}", hex::encode(signature))
}

/// `t=1700000000,v1=5257a8…,v1=…`; other schemes are left out.
fn read(header: &str) -> Option<(i64, Vec<Vec<u8>>)> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for item in header.split(',') {
        let (name, value) = item.trim().split_once('=')?;
        match name {
            "t" => timestamp = Some(value.parse().ok()?),
            SCHEME => signatures.push(hex::decode(value).ok()?),
            _ => {}
        }
    }
    match signatures.is_empty() {
        true => None,
        false => Some((timestamp?, signatures)),
    }
}

fn mac(secret: &str, timestamp: i64, body: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    /// By `printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
    const BY_OPENSSL: &str = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

    fn check(
        header: &str,
        body: &[u8],
        secrets: &[&str],
        now_s: i64,
    ) -> Result<(), SignatureError> {
        let secrets: Vec<SecretString> = secrets.iter().map(|s| (*s).into()).collect();
        verify(header, body, &secrets, now_s)
    }

    #[test]
    fn a_signature_computed_elsewhere_is_accepted() {
        let header = format!("t={NOW},v1={BY_OPENSSL}");
        assert_eq!(check(&header, BODY, &["whsec_test"], NOW), Ok(()));
    }

    #[test]
    fn either_of_two_live_secrets_will_do() {
        for signer in ["old", "new"] {
            let header = sign(signer, NOW, BODY);
            assert_eq!(check(&header, BODY, &["new", "old"], NOW), Ok(()));
        }
        let header = sign("older", NOW, BODY);
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(check(&header, BODY, &["new", "old"], NOW), wrong);
        assert_eq!(check(&header, BODY, &[], NOW), wrong);
    }

    #[test]
    fn each_way_to_forge_a_signature_is_refused() {
        let good = sign("whsec_test", NOW, BODY);
        let table = [
            (good.clone(), BODY.to_vec(), NOW + 300, Ok(())),
            (good.clone(), BODY.to_vec(), NOW - 300, Ok(())),
            (
                good.clone(),
                BODY.to_vec(),
                NOW + 301,
                Err(SignatureError::OutOfTime),
            ),
            (
                good.clone(),
                BODY.to_vec(),
                NOW - 301,
                Err(SignatureError::OutOfTime),
            ),
            (
                good.clone(),
                b"{}".to_vec(),
                NOW,
                Err(SignatureError::Wrong),
            ),
            (
                good.replace(&NOW.to_string(), &(NOW + 1).to_string()),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Wrong),
            ),
            (
                format!("t={NOW},v1={},v1={BY_OPENSSL}", "00".repeat(32)),
                BODY.to_vec(),
                NOW,
                Ok(()),
            ),
            (
                format!("t={NOW},v1={}", &BY_OPENSSL[..32]),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Wrong),
            ),
            (
                format!("t={NOW},v0={BY_OPENSSL}"),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Malformed),
            ),
            (
                format!("v1={BY_OPENSSL}"),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Malformed),
            ),
            (
                format!("t={},v1={BY_OPENSSL}", i64::MIN),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::OutOfTime),
            ),
            (
                format!("t={NOW},v1=xyz"),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Malformed),
            ),
            (
                String::new(),
                BODY.to_vec(),
                NOW,
                Err(SignatureError::Malformed),
            ),
        ];
        for (header, body, now_s, expected) in table {
            assert_eq!(
                check(&header, &body, &["whsec_test"], now_s),
                expected,
                "{header}"
            );
        }
    }
}
