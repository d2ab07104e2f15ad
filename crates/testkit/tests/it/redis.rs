use redis::AsyncTypedCommands;

async fn connect(url: &str) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(url)?;
    client.get_multiplexed_async_connection().await
}

#[tokio::test]
async fn a_stopped_redis_refuses_and_comes_back_with_its_data() {
    let mut server = testkit::redis().await;
    let url = server.url.clone();
    let mut conn = connect(&url).await.unwrap();
    conn.set("key", "value").await.unwrap();

    server.stop().await;
    assert!(connect(&url).await.is_err());

    server.start().await;
    let mut conn = connect(&url).await.unwrap();
    assert_eq!(conn.get("key").await.unwrap().as_deref(), Some("value"));
}

#[tokio::test]
async fn two_redis_servers_are_isolated() {
    let (one, other) = tokio::join!(testkit::redis(), testkit::redis());
    let mut conn = connect(&one.url).await.unwrap();
    conn.set("key", "value").await.unwrap();
    let mut conn = connect(&other.url).await.unwrap();
    assert_eq!(conn.get("key").await.unwrap(), None);
}
