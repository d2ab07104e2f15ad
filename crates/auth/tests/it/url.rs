//! Keys behind a URL: an issuer that counts who asks, breaks and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use auth::{Authenticator, Rejected, Settings, developer::Key};
use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use tokio::{net::TcpListener, task::JoinSet};

use crate::issuer::{ISSUER, token, until};

#[derive(Clone)]
struct Fake {
    url: String,
    asked: Arc<AtomicUsize>,
    answer: Arc<ArcSwap<(StatusCode, String)>>,
}

impl Fake {
    async fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, answer)
    }

    fn on(listener: TcpListener, answer: &str) -> Self {
        let fake = Self {
            url: format!("http://{}/jwks", listener.local_addr().unwrap()),
            asked: Arc::default(),
            answer: Arc::new(ArcSwap::from_pointee((StatusCode::OK, answer.to_owned()))),
        };
        let served = fake.clone();
        let handler = move || async move {
            served.asked.fetch_add(1, Ordering::SeqCst);
            let (code, text) = served.answer.load().as_ref().clone();
            match code.is_redirection() {
                true => (code, [("location", text)]).into_response(),
                false => (code, text).into_response(),
            }
        };
        let router = Router::new().route("/jwks", get(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    fn says(&self, code: StatusCode, text: impl Into<String>) {
        self.answer.store(Arc::new((code, text.into())));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn settings(&self) -> Settings {
        Settings::jwt(ISSUER, &self.url)
    }
}

#[tokio::test]
async fn a_thousand_unknown_keys_make_one_fetch() {
    let (key, eve) = (Key::generate().unwrap(), Key::generate().unwrap());
    let fake = Fake::start(&key.jwks()).await;
    let auth = Authenticator::start(&fake.settings()).await.unwrap();
    assert_eq!(fake.asked(), 1, "the start");
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (auth, token) = (auth.clone(), token(&eve));
        callers.spawn(async move { auth.verify(&token).await });
    }
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap(), Err(Rejected::UnknownKey));
    }
    assert_eq!(fake.asked(), 2, "the start, and one for all of them");
    for _ in 0..10 {
        let _ = auth.verify(&token(&Key::generate().unwrap())).await;
    }
    assert_eq!(fake.asked(), 2, "nor for other unknown keys soon after");
    auth.verify(&token(&key)).await.unwrap();
}

#[tokio::test]
async fn a_rotated_key_is_found_by_all_who_bring_it_at_once() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let fake = Fake::start(&old.jwks()).await;
    let auth = Authenticator::start(&fake.settings()).await.unwrap();
    fake.says(StatusCode::OK, new.jwks());
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (auth, token) = (auth.clone(), token(&new));
        callers.spawn(async move { auth.verify(&token).await });
    }
    while let Some(answer) = callers.join_next().await {
        answer
            .unwrap()
            .expect("nobody is turned away by the rotation");
    }
    assert_eq!(fake.asked(), 2);
    assert_eq!(auth.verify(&token(&old)).await, Err(Rejected::UnknownKey));
}

#[tokio::test]
async fn the_last_good_keys_stay_when_the_issuer_breaks() {
    let elsewhere = Fake::start("").await;
    let breaks = [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::OK, "garbage".to_owned()),
        (StatusCode::OK, r#"{"keys":[]}"#.to_owned()),
        (StatusCode::OK, " ".repeat(300_000)),
        (StatusCode::FOUND, elsewhere.url.clone()),
    ];
    for (code, text) in breaks {
        let (key, eve) = (Key::generate().unwrap(), Key::generate().unwrap());
        let fake = Fake::start(&key.jwks()).await;
        let auth = Authenticator::start(&fake.settings()).await.unwrap();
        fake.says(code, text);
        let answer = auth.verify(&token(&eve)).await;
        assert_eq!(answer, Err(Rejected::UnknownKey));
        assert_eq!(fake.asked(), 2, "it was asked, and was broken");
        auth.verify(&token(&key)).await.expect("the last good keys");
    }
    assert_eq!(elsewhere.asked(), 0, "redirects are not followed");
}

#[tokio::test]
async fn until_the_issuer_can_be_reached_it_is_not_the_tokens_fault() {
    let key = Key::generate().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = Settings::jwt(ISSUER, format!("http://{address}/jwks"));
    let auth = Authenticator::start(&settings).await.unwrap();
    let rejected = auth.verify(&token(&key)).await.unwrap_err();
    assert_eq!(rejected, Rejected::KeysUnavailable);
    assert!(rejected.is_temporary());
    let malformed = auth.verify("no token").await;
    assert_eq!(malformed, Err(Rejected::Malformed), "that is its fault");
    let listener = TcpListener::bind(address).await.unwrap();
    let _fake = Fake::on(listener, &key.jwks());
    until(&auth, &token(&key), Result::is_ok).await;
}

#[tokio::test]
async fn an_issuer_that_never_answers_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let mut settings = Settings::jwt(ISSUER, url);
    settings.fetch_timeout_ms = 200;
    let start = Authenticator::start(&settings);
    let auth = tokio::time::timeout(Duration::from_secs(5), start).await;
    let auth = auth.expect("the start ends").unwrap();
    let answer = auth.verify(&token(&Key::generate().unwrap())).await;
    assert_eq!(answer, Err(Rejected::KeysUnavailable));
}
