//! Well signed, and for somebody else, or for another time, or for nobody.

use serde_json::{Value, json};

use super::{Case, forge::Forge};

pub(super) fn bad(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = times(forge);
    cases.extend(issuers(forge));
    cases.extend(audiences(forge));
    cases.extend(subjects(forge));
    cases.extend(scopes(forge));
    cases
}

fn times(forge: &Forge<'_>) -> Vec<Case> {
    let now = forge.now;
    vec![
        ("expired a minute ago", forge.with_claim("exp", now - 60)),
        ("expired in 1970", forge.with_claim("exp", 0)),
        ("exp missing", forge.without_claim("exp")),
        ("exp null", forge.with_claim("exp", Value::Null)),
        (
            "exp a text",
            forge.with_claim("exp", (now + 600).to_string()),
        ),
        (
            "exp with a fraction",
            forge.with_claim("exp", json!(now as f64 + 600.5)),
        ),
        ("exp negative", forge.with_claim("exp", -1)),
        (
            "exp in milliseconds",
            forge.with_claim("exp", (now + 600) * 1000),
        ),
        ("exp the largest number", forge.with_claim("exp", u64::MAX)),
        (
            "exp beyond all numbers",
            forge.with_second(r#""exp":1e400"#),
        ),
        ("exp a list", forge.with_claim("exp", json!([now + 600]))),
        ("exp true", forge.with_claim("exp", true)),
        (
            "exp twice",
            forge.with_second(&format!(r#""exp":{}"#, now + 99_999)),
        ),
        ("nbf in an hour", forge.with_claim("nbf", now + 3600)),
        ("nbf a text", forge.with_claim("nbf", "0")),
        ("nbf in milliseconds", forge.with_claim("nbf", now * 1000)),
        ("iat in an hour", forge.with_claim("iat", now + 3600)),
        ("iat a text", forge.with_claim("iat", "now")),
    ]
}

fn issuers(forge: &Forge<'_>) -> Vec<Case> {
    let ours = forge.target.issuer;
    vec![
        (
            "iss another",
            forge.with_claim("iss", "https://eve.example"),
        ),
        ("iss missing", forge.without_claim("iss")),
        ("iss null", forge.with_claim("iss", Value::Null)),
        ("iss empty", forge.with_claim("iss", "")),
        (
            "iss a list with ours",
            forge.with_claim("iss", json!([ours, "eve"])),
        ),
        ("iss a list of ours", forge.with_claim("iss", json!([ours]))),
        (
            "iss begins with ours",
            forge.with_claim("iss", format!("{ours}.eve.example")),
        ),
        (
            "iss ours with a slash",
            forge.with_claim("iss", format!("{ours}/")),
        ),
        (
            "iss in capitals",
            forge.with_claim("iss", ours.to_uppercase()),
        ),
        (
            "iss ours and a space",
            forge.with_claim("iss", format!("{ours} ")),
        ),
        ("iss twice", forge.with_second(r#""iss":"eve""#)),
    ]
}

fn audiences(forge: &Forge<'_>) -> Vec<Case> {
    let ours = forge.target.audience;
    vec![
        ("aud another", forge.with_claim("aud", "billing")),
        ("aud missing", forge.without_claim("aud")),
        ("aud null", forge.with_claim("aud", Value::Null)),
        ("aud empty", forge.with_claim("aud", "")),
        ("aud an empty list", forge.with_claim("aud", json!([]))),
        (
            "aud a list without ours",
            forge.with_claim("aud", json!(["billing", "mail"])),
        ),
        (
            "aud a list with a number",
            forge.with_claim("aud", json!([ours, 1])),
        ),
        (
            "aud an object",
            forge.with_claim("aud", json!({ ours: true })),
        ),
        ("aud a number", forge.with_claim("aud", 0)),
        ("aud a pattern", forge.with_claim("aud", "*")),
        (
            "aud begins with ours",
            forge.with_claim("aud", format!("{ours}-admin")),
        ),
        (
            "aud in capitals",
            forge.with_claim("aud", ours.to_uppercase()),
        ),
        (
            "aud a list in one text",
            forge.with_claim("aud", format!("billing {ours}")),
        ),
        ("aud twice", forge.with_second(r#""aud":"billing""#)),
    ]
}

fn subjects(forge: &Forge<'_>) -> Vec<Case> {
    vec![
        ("sub missing", forge.without_claim("sub")),
        ("sub null", forge.with_claim("sub", Value::Null)),
        ("sub empty", forge.with_claim("sub", "")),
        ("sub a space", forge.with_claim("sub", " ")),
        ("sub with spaces around", forge.with_claim("sub", " ada ")),
        ("sub a number", forge.with_claim("sub", 42)),
        ("sub a list", forge.with_claim("sub", json!(["ada"]))),
        (
            "sub an object",
            forge.with_claim("sub", json!({ "$ne": "" })),
        ),
        ("sub too long", forge.with_claim("sub", "a".repeat(256))),
        ("sub with a NUL", forge.with_claim("sub", "ada\0admin")),
        (
            "sub with a newline",
            forge.with_claim("sub", "ada\r\nx-admin: 1"),
        ),
        (
            "sub with an escape",
            forge.with_claim("sub", "ada\u{1b}[2J"),
        ),
        (
            "sub that looks like another",
            forge.with_claim("sub", "аda"),
        ),
        (
            "sub written backwards",
            forge.with_claim("sub", "ada\u{202e}nimda"),
        ),
        ("sub twice", forge.with_second(r#""sub":"eve""#)),
    ]
}

fn scopes(forge: &Forge<'_>) -> Vec<Case> {
    let scope = |value: Value| forge.with_claim("scope", value);
    vec![
        ("scope a number", scope(json!(1))),
        ("scope true", scope(json!(true))),
        ("scope an object", scope(json!({ "orders:write": true }))),
        (
            "scope a list with a number",
            scope(json!(["orders:read", 1])),
        ),
        (
            "scope a list with two in one",
            scope(json!(["orders:read orders:write"])),
        ),
        ("scope with a quote", scope(json!("orders:read \"x"))),
        (
            "scope with a newline",
            scope(json!("orders:read\norders:write")),
        ),
        (
            "scope with a tab",
            scope(json!("orders:read\torders:write")),
        ),
        ("scope with a NUL", scope(json!("orders:read\0"))),
        (
            "scope with letters beyond ASCII",
            scope(json!("örders:read")),
        ),
        ("scope very long", scope(json!("s".repeat(200)))),
        ("scopes without end", scope(json!("s ".repeat(300) + "s"))),
        (
            "scope twice",
            forge.with_second(r#""scope":"customers:any""#),
        ),
        (
            "client_id a list",
            forge.with_claim("client_id", json!(["x"])),
        ),
        (
            "client_id with a newline",
            forge.with_claim("client_id", "web\nshop"),
        ),
    ]
}

pub(super) fn good(forge: &Forge<'_>) -> Vec<Case> {
    let ours = forge.target.audience;
    vec![
        (
            "aud a list with ours",
            forge.with_claim("aud", json!(["billing", ours])),
        ),
        ("iat missing", forge.without_claim("iat")),
        ("nbf now", forge.with_claim("nbf", forge.now)),
        ("scope a list", {
            let scopes: Vec<&str> = forge.target.scope.split(' ').collect();
            forge.with_claim("scope", json!(scopes))
        }),
        ("client_id", forge.with_claim("client_id", "web-shop")),
        ("azp", forge.with_claim("azp", "web-shop")),
        ("an unknown claim", forge.with_claim("email_verified", true)),
    ]
}
