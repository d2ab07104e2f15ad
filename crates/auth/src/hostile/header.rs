//! Well signed, with a header that asks for what it must not.

use serde_json::json;

use super::{
    Case,
    forge::{Forge, changed, twice},
};

pub(super) fn bad(forge: &Forge<'_>) -> Vec<Case> {
    let kid = |kid: &str| forge.with_header("kid", kid);
    let own = forge.key().kid();
    vec![
        ("kid unknown", kid("2024-01")),
        ("kid a path", kid("../../../../dev/null")),
        (
            "kid a path after ours",
            kid(&format!("{own}/../../../etc/passwd")),
        ),
        ("kid SQL", kid("' or 1=1; --")),
        (
            "kid SQL that selects a key",
            kid("x' union select 'secret' --"),
        ),
        ("kid a command", kid("| cat /etc/passwd")),
        ("kid with a NUL", kid(&format!("{own}\0.pem"))),
        ("kid in another case", kid(&swap_case(own))),
        ("kid empty", kid("")),
        ("kid very long", kid(&"k".repeat(5000))),
        ("kid a number", forge.with_header("kid", 7)),
        ("kid a list", forge.with_header("kid", json!([own]))),
        ("kid twice", {
            let header = twice(&forge.header(), r#""kid":"other""#);
            forge.key().sign(&header, &forge.claims().to_string())
        }),
        ("alg twice", {
            let header = twice(&forge.header(), r#""alg":"none""#);
            forge.key().sign(&header, &forge.claims().to_string())
        }),
        (
            "crit, known to nobody",
            forge.with_header("crit", json!(["exp"])),
        ),
        ("crit empty", forge.with_header("crit", json!([]))),
        ("payload not encoded (b64)", {
            let header = changed(forge.header(), "b64", Some(false.into()));
            let header = changed(header, "crit", Some(json!(["b64"])));
            forge.signed(&header, &forge.claims())
        }),
        ("b64 without crit", forge.with_header("b64", false)),
        ("compressed (zip)", forge.with_header("zip", "DEF")),
        ("encrypted (enc)", forge.with_header("enc", "A256GCM")),
        ("nested (cty)", forge.with_header("cty", "JWT")),
        ("a logout token", forge.with_header("typ", "logout+jwt")),
        (
            "a proof of possession",
            forge.with_header("typ", "dpop+jwt"),
        ),
        ("typ a number", forge.with_header("typ", 1)),
    ]
}

pub(super) fn good(forge: &Forge<'_>) -> Vec<Case> {
    vec![
        ("as usual", forge.good()),
        ("typ JWT", forge.with_header("typ", "JWT")),
        ("typ jwt", forge.with_header("typ", "jwt")),
        (
            "typ as a media type",
            forge.with_header("typ", "application/at+jwt"),
        ),
        ("typ missing", forge.without_header("typ")),
        ("a key pointed to, but signed by ours", {
            forge.with_header("jku", "https://eve.example/jwks.json")
        }),
        ("an unknown header", forge.with_header("x-shop", "mugs")),
    ]
}

fn swap_case(text: &str) -> String {
    let swapped = text.chars().map(|c| match c.is_ascii_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    });
    swapped.collect()
}
