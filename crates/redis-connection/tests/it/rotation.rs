//! A password that is changed, and an address.

use redis::{AsyncConnectionConfig, RedisResult};
use redis_connection::{Connection, Redis, Settings};

async fn connect(redis: &Redis) -> RedisResult<Connection> {
    redis.connect(&AsyncConnectionConfig::new()).await
}

async fn ask(conn: &mut Connection, words: &[&str]) -> RedisResult<String> {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    command.query_async(&mut **conn).await
}

fn with_password(url: &str, password: &str) -> Settings {
    Settings {
        password: Some(password.into()),
        ..Settings::new(url)
    }
}

#[tokio::test]
async fn connections_are_opened_by_the_password_that_holds_now() {
    let server = testkit::redis().await;
    let redis = Redis::new(Settings::new(server.url.as_str()));
    let clone = redis.clone();
    let mut old = connect(&redis).await.unwrap();
    ask(&mut old, &["CONFIG", "SET", "requirepass", "first"])
        .await
        .unwrap();
    let mut without = connect(&redis).await.unwrap();
    let error = ask(&mut without, &["PING"]).await.unwrap_err();
    assert_eq!(error.code(), Some("NOAUTH"), "{error:?}");

    assert!(clone.set(with_password(&server.url, "first")));
    assert!(redis.has_outdated(&old));
    let mut new = connect(&redis).await.unwrap();
    assert!(!redis.has_outdated(&new));
    assert_eq!(ask(&mut new, &["PING"]).await.unwrap(), "PONG");

    assert!(
        !redis.set(with_password(&server.url, "first")),
        "nothing is new"
    );
    assert!(!redis.has_outdated(&new));
    let wrong = Redis::new(with_password(&server.url, "wrong"));
    assert!(connect(&wrong).await.is_err());
}

#[tokio::test]
async fn another_address_is_followed() {
    let (one, two) = (testkit::redis().await, testkit::redis().await);
    let redis = Redis::new(Settings::new(one.url.as_str()));
    let port = async |redis: &Redis| {
        let mut conn = connect(redis).await.unwrap();
        let (_, port): (String, u16) = redis::cmd("CONFIG")
            .arg(("GET", "port"))
            .query_async(&mut *conn)
            .await
            .unwrap();
        port
    };
    assert_eq!(port(&redis).await, one.port);
    assert!(redis.set(Settings::new(two.url.as_str())));
    assert_eq!(port(&redis).await, two.port);
}
