//! What is no signed token in compact form at all.

use serde_json::json;

use super::{
    Case,
    forge::{Forge, changed, twice},
};
use crate::base64url;

pub(super) fn bad(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = shapes(forge);
    cases.extend(encodings(forge));
    cases.extend(contents(forge));
    cases
}

fn shapes(forge: &Forge<'_>) -> Vec<Case> {
    let good = forge.good();
    let message = forge.message(&forge.header(), &forge.claims());
    let signature = good.rsplit('.').next().unwrap_or_default();
    let (header, payload) = message.split_once('.').unwrap_or_default();
    vec![
        ("empty", String::new()),
        ("one dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("no dot", "token".to_owned()),
        ("two parts", message.clone()),
        ("four parts", format!("{good}.{signature}")),
        (
            "five parts, as an encrypted token",
            format!("{header}..AAAA.AAAA.AAAA"),
        ),
        ("a dot before", format!(".{good}")),
        ("a dot after", format!("{good}.")),
        ("the header empty", format!(".{payload}.{signature}")),
        ("the payload empty", format!("{header}..{signature}")),
        ("truncated", good[..good.len() - 20].to_owned()),
        ("the first half", good[..good.len() / 2].to_owned()),
        ("two tokens", format!("{good},{good}")),
        ("a scheme inside", format!("Bearer {good}")),
        ("JSON serialization", {
            json!({ "payload": payload, "protected": header, "signature": signature }).to_string()
        }),
        ("a token in a token", {
            let inner = base64url::encode(&good);
            forge.key().sign_parts(&format!("{header}.{inner}"))
        }),
        ("huge", forge.with_claim("padding", "x".repeat(9000))),
    ]
}

fn encodings(forge: &Forge<'_>) -> Vec<Case> {
    let good = forge.good();
    let (message, signature) = good.rsplit_once('.').unwrap_or_default();
    let (header, payload) = message.split_once('.').unwrap_or_default();
    let signed = |header: &str, payload: &str| {
        let message = format!("{header}.{payload}");
        forge.key().sign_parts(&message)
    };
    vec![
        ("whitespace before", format!(" {good}")),
        (
            "whitespace between",
            format!("{header} .{payload}.{signature}"),
        ),
        (
            "whitespace in the middle",
            signed(header, &format!("{payload} ")),
        ),
        ("a newline at the end", format!("{good}\n")),
        ("a NUL at the end", format!("{good}\0")),
        ("padding at the end", format!("{good}==")),
        (
            "padding of the header",
            signed(&format!("{header}="), payload),
        ),
        (
            "padding of the payload",
            signed(header, &format!("{payload}==")),
        ),
        (
            "the alphabet of plain base64",
            format!("{message}.{}", "+/".repeat(43)),
        ),
        ("no base64", format!("{message}.!!!!")),
        ("letters beyond ASCII", signed(header, "ÄÖÜ")),
        ("percent-encoded dots", good.replace('.', "%2E")),
    ]
}

fn contents(forge: &Forge<'_>) -> Vec<Case> {
    let header = forge.header().to_string();
    let claims = forge.claims().to_string();
    let sign = |header: &str, payload: &str| forge.key().sign(header, payload);
    vec![
        ("the header is no JSON", sign("hello", &claims)),
        ("the header is a list", sign("[]", &claims)),
        ("the header is empty JSON", sign("{}", &claims)),
        (
            "the header is followed by more",
            sign(&format!("{header}{{}}"), &claims),
        ),
        ("the payload is no JSON", sign(&header, "hello")),
        ("the payload is a list", sign(&header, "[]")),
        ("the payload is null", sign(&header, "null")),
        (
            "the payload is a text",
            sign(&header, &format!("{claims:?}")),
        ),
        (
            "the payload is cut short",
            sign(&header, &claims[..claims.len() - 1]),
        ),
        (
            "the payload is followed by more",
            sign(&header, &format!("{claims} {claims}")),
        ),
        ("the payload is nested deeply", {
            let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
            let claims = changed(forge.claims(), "aud", None);
            sign(&header, &twice(&claims, &format!(r#""aud":{deep}"#)))
        }),
        ("the payload is no UTF-8", {
            let bytes = [claims.as_bytes(), &[0xff, 0xfe]].concat();
            let header = base64url::encode(&header);
            let message = format!("{header}.{}", base64url::encode(bytes));
            forge.key().sign_parts(&message)
        }),
    ]
}
