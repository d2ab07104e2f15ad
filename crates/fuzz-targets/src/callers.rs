//! What callers say of themselves: tokens, and addresses behind proxies.

use std::{net::IpAddr, sync::LazyLock, time::Duration};

use auth::{
    Mode, Settings,
    developer::{AUDIENCE, ISSUER, Key, Mint},
    is_scope, offline,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::text::{lines, lossy};

static KEY: LazyLock<Key> = LazyLock::new(|| Key::generate().unwrap());
static JWKS: LazyLock<String> = LazyLock::new(|| KEY.jwks());

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    mode: Mode::Jwt,
    issuer: Some(ISSUER.to_owned()),
    audience: AUDIENCE.to_owned(),
    jwks_url: Some("file:///nowhere".to_owned()),
    jwks_ca: None,
    refresh_s: 300,
    fetch_timeout_ms: 1_000,
    leeway_s: 30,
    max_lifetime_s: None,
});

/// In the middle of what the corpus calls now.
const NOW: u64 = 1_800_000_000;

/// The first line is a payload that the issuer signed, the rest a token that
/// it did not.
pub(crate) fn token(data: &[u8]) {
    let [payload, forged] = lines(data);
    judged(payload);
    let forged = lossy(forged);
    let verdict = offline::verify(&forged, JWKS.as_bytes(), &SETTINGS, NOW);
    assert!(verdict.is_err(), "a forged token was accepted");
    damaged(data);
}

fn judged(payload: &[u8]) {
    let Ok(identity) = offline::judge(payload, &SETTINGS, NOW) else {
        return;
    };
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
    assert!((1..=255).contains(&identity.subject.len()));
    assert!(identity.subject.bytes().all(is_printable));
    assert!(identity.scopes.iter().all(|scope| is_scope(scope)));
    let expires = identity.expires_at.duration_since(std::time::UNIX_EPOCH);
    assert!(expires.unwrap().as_secs() + SETTINGS.leeway_s > NOW);
}

/// A good token of which one character was changed, or that was made longer.
fn damaged(data: &[u8]) {
    let good = KEY.mint(&Mint {
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: "customer-1",
        scopes: &["orders:read".to_owned()],
        client: None,
        lifetime: Duration::from_secs(1_000_000_000),
    });
    let verify = |token: &str| offline::verify(token, JWKS.as_bytes(), &SETTINGS, NOW);
    let identity = verify(&good).unwrap();
    assert_eq!(&*identity.subject, "customer-1");
    let Some((&change, at)) = data.split_first() else {
        return;
    };
    let at = at.iter().fold(0, |sum: usize, byte| {
        sum.wrapping_mul(7).wrapping_add(usize::from(*byte))
    }) % good.len();
    let mut bad = good.clone().into_bytes();
    bad[at] = b' ' + change % 95;
    let bad = String::from_utf8(bad).unwrap();
    assert!(bad == good || verify(&bad).is_err(), "{good} became {bad}");
    let longer = format!("{good}{}", char::from(change));
    assert!(verify(&longer).is_err(), "{longer}");
}

/// A set of keys either has one that can be used, or is refused with a reason;
/// and nothing in it is good for a token of another issuer.
pub(crate) fn key_set(data: &[u8]) {
    match offline::key_names(data) {
        Ok(names) => assert!(!names.is_empty()),
        Err(reason) => assert!(!reason.is_empty()),
    }
    let token = KEY.mint(&Mint {
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: "customer-1",
        scopes: &[],
        client: None,
        lifetime: Duration::from_secs(1_000_000_000),
    });
    let verdict = offline::verify(&token, data, &SETTINGS, NOW);
    assert!(verdict.is_err(), "a foreign key proved a token");
}

/// Whatever a client sends to the left of what the trusted proxy adds.
pub(crate) fn client_address(data: &[u8]) {
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    let stranger: IpAddr = "203.0.113.7".parse().unwrap();
    for (name, by, added) in [
        ("x-forwarded-for", "x-forwarded-for", "203.0.113.7"),
        ("forwarded", "forwarded", "for=203.0.113.7"),
    ] {
        let settings = serde_json::from_value::<limits::Settings>(serde_json::json!({
            "trusted_proxies": ["10.0.0.0/8"],
            "forwarded_by": by,
        }));
        let settings = settings.unwrap();
        let Ok(value) = HeaderValue::from_bytes(data) else {
            return;
        };
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static(name);
        headers.insert(&name, value);
        let alone = limits::client_address(stranger, &headers, &settings);
        assert_eq!(alone, stranger, "a stranger chose its address");
        let _ = limits::client_address(proxy, &headers, &settings);
        let joined = [data, b", ", added.as_bytes()].concat();
        headers.insert(&name, HeaderValue::from_bytes(&joined).unwrap());
        let behind = limits::client_address(proxy, &headers, &settings);
        assert_eq!(behind, stranger, "a client chose its address");
    }
}

/// How long a caller waits: eight digits and a unit at most, and then what they
/// say.
pub(crate) fn grpc_timeout(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("grpc-timeout", value);
    let Some(asked) = edge::asked_timeout(&headers) else {
        return;
    };
    let (amount, unit) = data.split_at(data.len() - 1);
    let amount: u64 = lossy(amount).parse().unwrap();
    assert!(amount < 100_000_000);
    let nanos: u128 = match unit {
        b"n" => 1,
        b"u" => 1_000,
        b"m" => 1_000_000,
        b"S" => 1_000_000_000,
        b"M" => 60_000_000_000,
        b"H" => 3_600_000_000_000,
        _ => panic!("an unknown unit was taken"),
    };
    assert_eq!(asked.as_nanos(), u128::from(amount) * nanos);
    assert!(std::time::Instant::now().checked_add(asked).is_some());
}
