//! Settings that are not good are refused, by key.

use auth::{Authenticator, Error, Mode, Settings};

fn good() -> Settings {
    Settings::jwt("https://id.example", "https://id.example/jwks")
}

#[test]
fn what_tokens_need_must_be_set() {
    type Change = fn(&mut Settings);
    let table: [(&str, Change); 14] = [
        ("issuer", |s| s.issuer = None),
        ("issuer", |s| s.issuer = Some(String::new())),
        ("audience", |s| s.audience = " ".to_owned()),
        ("jwks_url", |s| s.jwks_url = None),
        ("jwks_url", |s| s.jwks_url = Some(String::new())),
        ("jwks_url", |s| s.jwks_url = Some("jwks.json".to_owned())),
        ("jwks_url", |s| {
            s.jwks_url = Some("http://id.example/".to_owned())
        }),
        ("refresh_s", |s| s.refresh_s = 9),
        ("refresh_s", |s| s.refresh_s = u64::MAX),
        ("fetch_timeout_ms", |s| s.fetch_timeout_ms = 0),
        ("fetch_timeout_ms", |s| s.fetch_timeout_ms = 60_000),
        ("leeway_s", |s| s.leeway_s = 31),
        ("leeway_s", |s| s.leeway_s = u64::MAX),
        ("max_lifetime_s", |s| s.max_lifetime_s = Some(0)),
    ];
    assert_eq!(good().check("production"), Ok(()));
    for (key, change) in table {
        let mut settings = good();
        change(&mut settings);
        let invalid = settings.check("production").unwrap_err();
        assert_eq!(invalid.key, key, "{invalid}");
        assert!(
            invalid
                .to_string()
                .starts_with(&format!("key `auth.{key}`: "))
        );
    }
}

#[test]
fn callers_are_believed_only_in_a_local_environment() {
    assert_eq!(Settings::none().check("local"), Ok(()));
    for environment in ["production", "staging", "test", "Local", "", "local "] {
        let invalid = Settings::none().check(environment).unwrap_err();
        assert_eq!(invalid.key, "mode", "{environment}");
    }
}

#[tokio::test]
async fn there_is_no_authenticator_for_mode_none() {
    assert_eq!(Settings::none().mode, Mode::None);
    let answer = Authenticator::start(&Settings::none()).await;
    assert!(matches!(answer, Err(Error::NoTokens)));
}
