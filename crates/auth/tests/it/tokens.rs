//! Every bad token is refused, every good one is accepted.

use std::collections::BTreeSet;

use auth::{
    developer::Key,
    hostile::{self, Target},
};

use crate::issuer::{ISSUER, Issuer, token};

fn target(key: &Key) -> Target<'_> {
    Target {
        key,
        issuer: ISSUER,
        audience: "cartwright",
        subject: "ada",
        scope: "orders:read orders:write",
    }
}

#[tokio::test]
async fn every_bad_token_is_refused() {
    let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
    let one = Issuer::of(&[key.jwk()]).start().await;
    let two = Issuer::of(&[other.jwk(), key.jwk()]).start().await;
    let cases = hostile::bad_tokens(&target(&key));
    assert!(cases.len() >= 60, "{}", cases.len());
    let names: BTreeSet<_> = cases.iter().map(|(name, _)| name).collect();
    let tokens: BTreeSet<_> = cases.iter().map(|(_, token)| token).collect();
    assert_eq!((names.len(), tokens.len()), (cases.len(), cases.len()));
    for (name, token) in cases {
        for auth in [&one, &two] {
            let answer = auth.verify(&token).await;
            let rejected = answer.expect_err(name);
            assert!(!rejected.is_temporary(), "{name}: {rejected}");
        }
    }
    one.verify(&token(&key)).await.expect("still serves");
}

#[tokio::test]
async fn every_good_token_is_accepted() {
    let key = Key::generate().unwrap();
    let auth = Issuer::of(&[key.jwk()]).start().await;
    for (name, token) in hostile::good_tokens(&target(&key)) {
        let identity = auth.verify(&token).await.expect(name);
        assert_eq!(&*identity.subject, "ada", "{name}");
        assert!(identity.holds("orders:read"), "{name}");
        assert!(identity.holds("orders:write"), "{name}");
        assert!(!identity.holds("orders"), "{name}");
    }
}

#[tokio::test]
async fn each_flaw_is_told_by_its_own_label() {
    let key = Key::generate().unwrap();
    let auth = Issuer::of(&[key.jwk()]).start().await;
    let cases = hostile::bad_tokens(&target(&key));
    for (name, label) in [
        ("alg none, no signature", "malformed"),
        ("alg none, signature of a good token", "algorithm"),
        ("HS256 by the public key", "algorithm"),
        ("another key under our kid", "signature"),
        ("another key under its own kid", "unknown_key"),
        ("the payload changed", "signature"),
        ("kid a path", "unknown_key"),
        ("crit, known to nobody", "header"),
        ("a logout token", "header"),
        ("empty", "malformed"),
        ("huge", "too_long"),
        ("expired a minute ago", "expired"),
        ("exp with a fraction", "claims"),
        ("exp in milliseconds", "claims"),
        ("nbf in an hour", "not_yet_valid"),
        ("iss begins with ours", "issuer"),
        ("iss a list of ours", "claims"),
        ("aud a list without ours", "audience"),
        ("sub too long", "subject"),
        ("sub twice", "claims"),
        ("scope with a tab", "scope"),
    ] {
        let case = cases.iter().find(|(found, _)| *found == name);
        let (_, token) = case.unwrap_or_else(|| panic!("no case {name}"));
        let rejected = auth.verify(token).await.expect_err(name);
        assert_eq!(rejected.label(), label, "{name}");
        assert!(!rejected.to_string().contains(token.as_str()) || token.is_empty());
    }
}

#[tokio::test]
async fn a_key_without_a_name_serves_where_it_is_the_only_one() {
    let key = Key::generate().unwrap();
    let (_, nameless) = hostile::bad_tokens(&target(&key))
        .into_iter()
        .find(|(name, _)| *name == "another key, kid missing")
        .unwrap();
    let only = Issuer::of(&[key.jwk()]).start().await;
    let rejected = only.verify(&nameless).await.unwrap_err();
    assert_eq!(rejected.label(), "signature", "the only key is tried");
    let other = Key::generate().unwrap();
    let several = Issuer::of(&[key.jwk(), other.jwk()]).start().await;
    let rejected = several.verify(&nameless).await.unwrap_err();
    assert_eq!(
        rejected.label(),
        "unknown_key",
        "none of several is guessed"
    );
}
