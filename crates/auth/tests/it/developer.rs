//! The issuer of a laptop.

use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

use auth::{
    Authenticator, Settings,
    developer::{self, Key, Mint},
};

use crate::issuer::token;

#[test]
fn a_key_is_made_once_and_only_its_owner_may_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys/developer.pem");
    let kid = Key::load_or_create(&path).unwrap().kid().to_owned();
    let pem = fs::read(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(Key::load_or_create(&path).unwrap().kid(), kid);
    assert_eq!(fs::read(&path).unwrap(), pem);
}

#[test]
fn all_who_make_the_key_at_once_get_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("developer.pem");
    let kids: Vec<String> = thread::scope(|scope| {
        let make = || Key::load_or_create(&path).unwrap().kid().to_owned();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left behind: {left:?}");
}

#[test]
fn a_file_that_is_no_key_is_neither_used_nor_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("developer.pem");
    for text in [
        "",
        "hello",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        fs::write(&path, text).unwrap();
        let error = Key::load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("not an Ed25519 key"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn the_published_key_verifies_what_the_private_one_signs() {
    let directory = tempfile::tempdir().unwrap();
    let key = Key::load_or_create(&directory.path().join("developer.pem")).unwrap();
    let jwks = directory.path().join("jwks.json");
    assert!(key.publish(&jwks).unwrap());
    assert_eq!(
        fs::metadata(&jwks).unwrap().permissions().mode() & 0o777,
        0o644
    );
    let other = Key::generate().unwrap();
    assert!(!other.publish(&jwks).unwrap(), "it is there already");
    let url = format!("file:{}", jwks.display());
    let settings = Settings::jwt(crate::issuer::ISSUER, url);
    let auth = Authenticator::start(&settings).await.unwrap();
    auth.verify(&token(&key)).await.unwrap();
    auth.verify(&token(&other)).await.unwrap_err();
}

#[test]
fn a_token_is_current_while_nothing_about_it_has_changed() {
    let key = Key::generate().unwrap();
    let scopes = ["payments:read".to_owned()];
    let day = Duration::from_secs(86_400);
    let mint = Mint {
        issuer: "issuer",
        audience: "cartwright",
        subject: "service:order-service",
        scopes: &scopes,
        client: Some("order-service"),
        lifetime: 30 * day,
    };
    let token = key.mint(&mint);
    assert!(key.is_current(&format!("{token}\n"), &mint, 15 * day));
    assert!(!key.is_current(&token, &mint, 31 * day));
    let changes = [
        Mint {
            issuer: "other",
            ..mint.clone()
        },
        Mint {
            audience: "other",
            ..mint.clone()
        },
        Mint {
            subject: "other",
            ..mint.clone()
        },
        Mint {
            scopes: &[],
            ..mint.clone()
        },
        Mint {
            client: None,
            ..mint.clone()
        },
    ];
    for changed in changes {
        assert!(!key.is_current(&token, &changed, day), "{changed:?}");
    }
    assert!(!Key::generate().unwrap().is_current(&token, &mint, day));
    for text in ["", "..", "a.b.c", &token[..token.len() - 4]] {
        assert!(!key.is_current(text, &mint, day), "{text}");
    }
}

#[test]
fn a_key_never_prints_its_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("developer.pem");
    let key = Key::load_or_create(&path).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("Key {{ kid: {:?} }}", key.kid())
    );
    developer::replace(&path, "replaced").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "replaced");
}
