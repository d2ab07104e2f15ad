//! A file of keys that changes under a running service.

use std::{fs, os::unix::fs::symlink};

use auth::{Authenticator, Error, Rejected, Settings, developer::Key};
use serde_json::json;

use crate::issuer::{ISSUER, Issuer, token, until};

#[tokio::test]
async fn a_new_key_is_known_at_once_and_an_old_one_soon_forgotten() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let issuer = Issuer::of(&[old.jwk()]);
    let auth = issuer.start().await;
    auth.verify(&token(&old)).await.unwrap();
    issuer.publish(&[old.jwk(), new.jwk()]);
    auth.verify(&token(&new))
        .await
        .expect("its unknown kid makes the file be read");
    auth.verify(&token(&old)).await.unwrap();
    issuer.publish(&[new.jwk()]);
    until(&auth, &token(&old), |answer| {
        *answer == Err(Rejected::UnknownKey)
    })
    .await;
    auth.verify(&token(&new)).await.unwrap();
}

/// As Kubernetes does it: the file is a link through `..data`, which is
/// swapped for one to a new directory.
#[tokio::test]
async fn a_swapped_symbolic_link_is_seen() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for (name, key) in [("v1", &old), ("v2", &new)] {
        fs::create_dir(root.join(name)).unwrap();
        fs::write(root.join(name).join("jwks.json"), key.jwks()).unwrap();
    }
    symlink("v1", root.join("..data")).unwrap();
    symlink("..data/jwks.json", root.join("jwks.json")).unwrap();
    let url = format!("file://{}", root.join("jwks.json").display());
    let auth = Authenticator::start(&Settings::jwt(ISSUER, url))
        .await
        .unwrap();
    auth.verify(&token(&old)).await.unwrap();
    symlink("v2", root.join("..next")).unwrap();
    fs::rename(root.join("..next"), root.join("..data")).unwrap();
    // The poll sees it too, without a token that asks for it.
    until(&auth, &token(&old), |answer| {
        *answer == Err(Rejected::UnknownKey)
    })
    .await;
    auth.verify(&token(&new)).await.unwrap();
}

#[tokio::test]
async fn the_last_good_keys_stay_when_the_file_breaks() {
    let (key, next) = (Key::generate().unwrap(), Key::generate().unwrap());
    let issuer = Issuer::of(&[key.jwk()]);
    let auth = issuer.start().await;
    let huge = format!(r#"{{"keys":[],"padding":"{}"}}"#, "x".repeat(300_000));
    for text in ["garbage", r#"{"keys":[]}"#, &huge] {
        fs::write(issuer.jwks(), text).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
        auth.verify(&token(&key)).await.unwrap();
    }
    fs::remove_file(issuer.jwks()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
    auth.verify(&token(&key)).await.expect("without a file");
    issuer.publish(&[next.jwk()]);
    until(&auth, &token(&next), Result::is_ok).await;
}

#[tokio::test]
async fn a_start_without_usable_keys_fails_and_says_why() {
    let issuer = Issuer::of(&[]);
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }).to_string();
    for (text, says) in [
        ("garbage", "not a JSON Web Key Set"),
        (r#"{"keys":[]}"#, "the set has no key"),
        (symmetric.as_str(), "`kty` is \"oct\""),
    ] {
        fs::write(issuer.jwks(), text).unwrap();
        let error = Authenticator::start(&issuer.settings()).await.unwrap_err();
        assert!(matches!(error, Error::Keys { .. }));
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("jwks.json"), "{error}");
    }
    fs::remove_file(issuer.jwks()).unwrap();
    let error = Authenticator::start(&issuer.settings()).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
}
