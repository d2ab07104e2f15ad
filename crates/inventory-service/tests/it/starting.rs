use std::time::{Duration, Instant};

use api::inventory::v1 as pb;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::world::{Plan, World};

#[tokio::test]
async fn health_speaks_for_both_services() {
    let world = World::new().await;
    let address = format!("http://{}", world.addresses[0]);
    let channel = rpc::connect(&rpc::PeerSettings::at(address), None).unwrap();
    let mut health = HealthClient::new(channel);
    for service in inventory_service::grpc::SERVICES.iter().chain(&[""]) {
        let service = (*service).to_owned();
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    world
        .sql("drop table idempotency_keys; delete from _sqlx_migrations where version = 2")
        .await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let report = world.health.ready().await;
    assert!(!report.ok, "the schema is not the binary's");
}

#[tokio::test]
async fn events_reach_the_stream_once_redis_is_there() {
    let redis = testkit::redis().await;
    let world = World::of(Plan {
        redis_url: redis.url.clone(),
        ..Plan::default()
    })
    .await;
    world.stocked("A", 5).await;
    let order = world.committed(&[("A", 5)]).await;
    world.adjust("A", -1, true).await.unwrap();
    let mut conn = redis.connect().await;
    let began = Instant::now();
    let entries = loop {
        let entries: redis::streams::StreamRangeReply = redis::cmd("XRANGE")
            .arg("cartwright.inventory.v1")
            .arg("-")
            .arg("+")
            .query_async(&mut conn)
            .await
            .unwrap();
        if !entries.ids.is_empty() {
            break entries;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no event came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let entry = &entries.ids[0];
    let kind: String = entry.get("type").unwrap();
    assert_eq!(kind, "cartwright.inventory.v1.stock_shortfall");
    let payload: Vec<u8> = entry.get("payload").unwrap();
    let event: pb::InventoryEvent = prost::Message::decode(payload.as_slice()).unwrap();
    assert_eq!(event.order_id, order);
}
