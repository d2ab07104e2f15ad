//! Events reach the stream, each once per fact and in order, also when Redis
//! was away.

use api::payment::v1 as pb;
use prost::Message;
use redis::AsyncCommands;

use crate::shop::{Shop, Wishes};

async fn read(redis: &testkit::TestRedis) -> Vec<(String, String, i64, pb::PaymentEvent)> {
    let mut conn = redis.connect().await;
    let stream: redis::streams::StreamRangeReply =
        conn.xrange_all(payment_service::STREAM).await.unwrap();
    let entries = stream.ids.into_iter();
    entries
        .map(|entry| {
            let payload: Vec<u8> = entry.get("payload").unwrap();
            (
                entry.get("type").unwrap(),
                entry.get("aggregate").unwrap(),
                entry.get("sequence").unwrap(),
                pb::PaymentEvent::decode(payload.as_slice()).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_happened_while_redis_was_away_is_told_in_order_once_it_is_back() {
    let mut redis = testkit::redis().await;
    let shop = Shop::open_with(Wishes {
        redis_url: redis.url.clone(),
        ..Wishes::default()
    })
    .await;
    let payment = shop.authorized().await;
    redis.stop().await;
    shop.capture(&payment.id, None).await.unwrap();
    let refund = shop
        .refund(&payment.id, Some(400))
        .await
        .unwrap()
        .refund
        .unwrap();
    redis.start().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let told = loop {
        let told = read(&redis).await;
        if told.iter().any(|(kind, ..)| kind.ends_with("refunded")) {
            break told;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let mut seen: Vec<(i64, &str)> = told
        .iter()
        .map(|(kind, aggregate, sequence, _)| {
            assert_eq!(*aggregate, payment.id);
            (*sequence, kind.as_str())
        })
        .collect();
    // At least once: after an outage the last ones may come again.
    seen.dedup();
    assert_eq!(
        seen,
        [
            (1, "cartwright.payment.v1.authorized"),
            (2, "cartwright.payment.v1.captured"),
            (3, "cartwright.payment.v1.refunded"),
        ]
    );
    let (.., last) = told.last().unwrap();
    assert_eq!(last.refund.as_ref().unwrap().id, refund.id);
    let after = last.payment.as_ref().unwrap();
    assert_eq!(after.refunded.as_ref().unwrap().minor_units, 400);
    shop.assert_sound().await;
}
