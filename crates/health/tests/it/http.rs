//! The endpoints through start and drain.

use std::time::Duration;

use health::Health;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{code, get, serve};

#[tokio::test]
async fn a_process_is_ready_when_every_latch_is_released() {
    let health = Health::new();
    let (schema, server) = (health.latch("schema"), health.latch("server"));
    let address = serve(&health).await;
    let (status, body) = get(address, "/health/startup").await;
    assert_eq!(status, 503);
    let waiting = json!({"state": "waiting"});
    assert_eq!(
        body,
        json!({"ok": false, "checks": {"schema": waiting, "server": waiting}})
    );
    assert_eq!(code(address, "/health/live").await, 200);

    schema.release();
    assert_eq!(code(address, "/health/startup").await, 503);
    assert_eq!(code(address, "/health/ready").await, 503);
    server.release();
    assert_eq!(code(address, "/health/startup").await, 200);
    let (status, body) = get(address, "/health/ready").await;
    assert_eq!(status, 200);
    assert_eq!(body["checks"]["schema"], json!({"state": "ok"}));
}

#[tokio::test]
async fn a_draining_process_lives_and_has_started_but_is_not_ready() {
    let health = Health::new();
    health.latch("server").release();
    let address = serve(&health).await;
    health.drain();
    let (status, body) = get(address, "/health/ready").await;
    assert_eq!(status, 503);
    assert_eq!(body["checks"]["drain"], json!({"state": "draining"}));
    assert_eq!(code(address, "/health/live").await, 200);
    assert_eq!(code(address, "/health/startup").await, 200);
}

#[tokio::test]
async fn a_latch_that_is_dropped_unreleased_stays_held() {
    let health = Health::new();
    drop(health.latch("schema"));
    assert!(!health.startup().ok);
}

#[tokio::test]
async fn a_released_latch_is_never_held_again() {
    let health = Health::new();
    health.latch("schema").release();
    let _again = health.latch("schema");
    assert!(health.startup().ok);
}

#[tokio::test]
async fn the_names_that_people_expect_work_too() {
    let health = Health::new();
    let latch = health.latch("server");
    let address = serve(&health).await;
    assert_eq!(code(address, "/livez").await, 200);
    assert_eq!(code(address, "/readyz").await, 503);
    assert_eq!(code(address, "/healthz").await, 503);
    latch.release();
    assert_eq!(code(address, "/readyz").await, 200);
    assert_eq!(code(address, "/healthz").await, 200);
    assert_eq!(code(address, "/nothing").await, 404);
}

#[tokio::test]
async fn a_client_that_dawdles_with_its_headers_is_cut_off() {
    let address = serve(&Health::new()).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(8), slow.read_to_end(&mut answer)).await;
    end.expect("the connection is closed").unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}
