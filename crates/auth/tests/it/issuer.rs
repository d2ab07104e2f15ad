//! An issuer of tokens whose keys stand in a directory of its own.

use std::{fs, path::PathBuf, time::Duration};

use auth::{
    Authenticator, Identity, Rejected, Settings,
    developer::{Key, Mint},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ISSUER: &str = "https://id.example";

pub(crate) struct Issuer {
    pub(crate) directory: TempDir,
}

impl Issuer {
    pub(crate) fn of(keys: &[Value]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issuer = Self { directory };
        issuer.publish(keys);
        issuer
    }

    pub(crate) fn jwks(&self) -> PathBuf {
        self.directory.path().join("jwks.json")
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        let next = self.directory.path().join("next.json");
        fs::write(&next, json!({ "keys": keys }).to_string()).unwrap();
        fs::rename(next, self.jwks()).unwrap();
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::jwt(ISSUER, format!("file://{}", self.jwks().display()))
    }

    pub(crate) async fn start(&self) -> Authenticator {
        Authenticator::start(&self.settings()).await.unwrap()
    }
}

/// A good token.
pub(crate) fn token(key: &Key) -> String {
    key.mint(&Mint {
        issuer: ISSUER,
        audience: "cartwright",
        subject: "ada",
        scopes: &["orders:read".to_owned(), "orders:write".to_owned()],
        client: None,
        lifetime: Duration::from_secs(600),
    })
}

/// Asks until the answer is `wanted`, for as long as a file may take to be
/// read anew.
pub(crate) async fn until(
    auth: &Authenticator,
    token: &str,
    wanted: impl Fn(&Result<Identity, Rejected>) -> bool,
) {
    let mut last = auth.verify(token).await;
    for _ in 0..100 {
        if wanted(&last) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = auth.verify(token).await;
    }
    panic!("still {last:?}");
}
