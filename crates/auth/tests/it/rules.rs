//! Rules that settings change.

use std::time::{Duration, SystemTime};

use auth::{
    Authenticator, Rejected,
    developer::{Key, Mint},
};

use crate::issuer::{ISSUER, Issuer, token};

fn lasting(key: &Key, seconds: u64) -> String {
    key.mint(&Mint {
        issuer: ISSUER,
        audience: "cartwright",
        subject: "service:order-service",
        scopes: &[],
        client: Some("order-service"),
        lifetime: Duration::from_secs(seconds),
    })
}

#[tokio::test]
async fn a_token_says_who_with_what_until_when() {
    let key = Key::generate().unwrap();
    let auth = Issuer::of(&[key.jwk()]).start().await;
    let identity = auth.verify(&lasting(&key, 600)).await.unwrap();
    assert_eq!(&*identity.subject, "service:order-service");
    assert_eq!(identity.client.as_deref(), Some("order-service"));
    assert!(identity.scopes.is_empty());
    let left = identity.expires_at.duration_since(SystemTime::now());
    let left = left.unwrap().as_secs();
    assert!((590..=600).contains(&left), "{left}");
}

#[tokio::test]
async fn tokens_that_live_too_long_are_refused_where_that_is_set() {
    let key = Key::generate().unwrap();
    let issuer = Issuer::of(&[key.jwk()]);
    let month = lasting(&key, 30 * 86_400);
    issuer.start().await.verify(&month).await.unwrap();
    let mut settings = issuer.settings();
    settings.max_lifetime_s = Some(86_400);
    let auth = Authenticator::start(&settings).await.unwrap();
    assert_eq!(auth.verify(&month).await, Err(Rejected::Lifetime));
    auth.verify(&lasting(&key, 86_400)).await.unwrap();
}

#[tokio::test]
async fn the_leeway_is_for_clocks_that_differ() {
    let key = Key::generate().unwrap();
    let issuer = Issuer::of(&[key.jwk()]);
    let ended = lasting(&key, 0);
    issuer.start().await.verify(&ended).await.unwrap();
    let mut settings = issuer.settings();
    settings.leeway_s = 0;
    let auth = Authenticator::start(&settings).await.unwrap();
    assert_eq!(auth.verify(&ended).await, Err(Rejected::Expired));
}

#[tokio::test]
async fn another_audience_may_be_set() {
    let key = Key::generate().unwrap();
    let issuer = Issuer::of(&[key.jwk()]);
    let mut settings = issuer.settings();
    settings.audience = "shop".to_owned();
    let auth = Authenticator::start(&settings).await.unwrap();
    assert_eq!(auth.verify(&token(&key)).await, Err(Rejected::Audience));
}
