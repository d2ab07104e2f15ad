//! Webhooks: signed, told until acknowledged, also by the next process.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::receiver::{Delivery, Receiver};
use crate::shop::{Shop, WEBHOOK_SECRET, eventually};

async fn shop_with(receiver: &Receiver) -> Shop {
    let url = receiver.url();
    Shop::open_with(|settings| settings.webhooks.url = Some(url)).await
}

/// As a receiver does it, from Stripe's description.
fn is_signed(delivery: &Delivery) -> bool {
    let (timestamp, signature) = delivery.signature.split_once(",v1=").unwrap();
    let timestamp = timestamp.strip_prefix("t=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{}", delivery.body).as_bytes());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let age = now.as_secs().abs_diff(timestamp.parse().unwrap());
    age <= 5 && mac.verify_slice(&hex::decode(signature).unwrap()).is_ok()
}

#[tokio::test]
async fn the_life_of_a_payment_is_told_in_signed_events() {
    let receiver = Receiver::start().await;
    let shop = shop_with(&receiver).await;
    let id = shop.authorize("pm_card_visa").await.expect(200).id();
    let capture = format!("/v1/payment_intents/{id}/capture");
    let part = [("amount_to_capture", "300"), ("final_capture", "false")];
    shop.post(&capture, &part).await.expect(200);
    shop.post(&capture, &[]).await.expect(200);
    let refund = [("payment_intent", id.as_str()), ("amount", "100")];
    shop.post("/v1/refunds", &refund).await.expect(200);
    shop.authorize("pm_card_chargeDeclined").await.expect(402);
    let held = shop
        .authorize("pm_card_authenticationRequired")
        .await
        .expect(200)
        .id();
    let cancel = format!("/v1/payment_intents/{held}/cancel");
    shop.post(&cancel, &[("cancellation_reason", "abandoned")])
        .await
        .expect(200);
    eventually("all events arrive", async || receiver.got().len() == 7).await;

    let mut kinds = receiver.kinds();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "charge.refunded",
            "payment_intent.amount_capturable_updated",
            "payment_intent.amount_capturable_updated",
            "payment_intent.canceled",
            "payment_intent.payment_failed",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ]
    );
    for delivery in receiver.got() {
        assert!(is_signed(&delivery), "{delivery:?}");
        let event = delivery.event();
        assert_eq!(event["object"], "event");
        assert_eq!(event["livemode"], false);
        assert!(event["id"].as_str().unwrap().starts_with("evt_"));
    }
    let of_kind = |kind: &str| {
        let found = receiver.got().into_iter().find(|got| got.kind() == kind);
        found.unwrap().event()["data"]["object"].clone()
    };
    let charge = of_kind("charge.refunded");
    assert_eq!(charge["amount_refunded"], 100);
    assert_eq!(charge["payment_intent"], id);
    assert_eq!(of_kind("payment_intent.succeeded")["amount_received"], 1000);
    assert_eq!(
        of_kind("payment_intent.canceled")["cancellation_reason"],
        "abandoned"
    );
    let failed = of_kind("payment_intent.payment_failed");
    assert_eq!(failed["last_payment_error"]["code"], "card_declined");
}

#[tokio::test]
async fn an_event_is_repeated_until_it_is_acknowledged_and_then_no_more() {
    let receiver = Receiver::start().await;
    receiver.refuse(3);
    let shop = shop_with(&receiver).await;
    shop.authorize("pm_card_visa").await.expect(200);
    eventually("it is acknowledged", async || receiver.acknowledged() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let got = receiver.got();
    assert_eq!(got.len(), 4);
    assert!(got.iter().all(|copy| copy.body == got[0].body));
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_after_a_restart_and_the_rest_is_not() {
    let receiver = Receiver::start().await;
    let shop = shop_with(&receiver).await;
    shop.authorize("pm_card_visa").await.expect(200);
    eventually("the first is acknowledged", async || {
        receiver.acknowledged() == 1
    })
    .await;
    receiver.refuse(u64::MAX);
    let second = shop.authorize("pm_card_visa").await.expect(200).id();
    eventually("the second is refused", async || receiver.got().len() >= 2).await;
    let first = receiver.got()[0].event()["id"].clone();
    let shop = shop.restart().await;
    receiver.refuse(0);
    eventually("the second is acknowledged", async || {
        receiver.acknowledged() == 2
    })
    .await;
    let later: Vec<_> = receiver.got()[1..].iter().map(Delivery::event).collect();
    assert!(later.iter().all(|event| event["id"] != first));
    assert!(
        later
            .iter()
            .all(|event| event["data"]["object"]["id"] == second)
    );
    let shop = shop.restart().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.acknowledged(), 2);
    shop.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_delays_no_payment() {
    let nobody = "http://127.0.0.1:9/webhooks".parse().unwrap();
    let shop = Shop::open_with(|settings| settings.webhooks.url = Some(nobody)).await;
    let calls = (0..100).map(|_| shop.pay("pm_card_visa"));
    let all = tokio::time::timeout(Duration::from_secs(10), join_all(calls)).await;
    assert_eq!(all.unwrap().len(), 100);
}

#[tokio::test]
async fn without_a_receiver_no_event_is_kept() {
    let shop = Shop::open().await;
    shop.pay("pm_card_visa").await;
    assert!(!shop.journal_text().contains("evt_"));
}

#[tokio::test]
async fn webhooks_come_in_copies_and_out_of_order_when_asked() {
    let receiver = Receiver::start().await;
    let shop = shop_with(&receiver).await;
    shop.set_faults(json!({"webhook_copies": 2, "webhook_reorder_ms": 400}))
        .await;
    let mut order = Vec::new();
    for _ in 0..20 {
        order.push(shop.authorize("pm_card_visa").await.expect(200).id());
    }
    eventually("all copies arrive", async || receiver.got().len() == 40).await;
    let arrived: Vec<String> = receiver
        .got()
        .iter()
        .map(|got| {
            got.event()["data"]["object"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let events: HashSet<_> = receiver.got().iter().map(|got| got.body.clone()).collect();
    assert_eq!(events.len(), 20);
    let mut seen = HashSet::new();
    let first_seen: Vec<&String> = arrived.iter().filter(|id| seen.insert(*id)).collect();
    assert_ne!(first_seen, order.iter().collect::<Vec<_>>());
}
