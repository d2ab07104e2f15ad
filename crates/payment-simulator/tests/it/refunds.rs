//! Refunds never exceed what was captured.

use futures::future::join_all;
use serde_json::json;

use crate::receiver::Receiver;
use crate::shop::{Got, Shop, eventually};

async fn refund(shop: &Shop, intent: &str, amount: &str) -> Got {
    let form = [("payment_intent", intent), ("amount", amount)];
    shop.post("/v1/refunds", &form).await
}

#[tokio::test]
async fn of_fifty_refunds_of_sixty_percent_at_once_one_succeeds() {
    let shop = Shop::open().await;
    let id = shop.pay("pm_card_visa").await;
    let got = join_all((0..50).map(|_| refund(&shop, &id, "600"))).await;
    let (done, refused): (Vec<_>, Vec<_>) = got.iter().partition(|got| got.status == 200);
    assert_eq!(done.len(), 1);
    for got in refused {
        assert_eq!(got.status, 400);
        assert_eq!(got.json()["error"]["code"], "amount_too_large");
    }
    assert_eq!(shop.totals().await["gbp"]["refunded_minor"], 600);
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_and_then_no_more() {
    let shop = Shop::open().await;
    let id = shop.pay("pm_card_visa").await;
    let first = refund(&shop, &id, "400").await.expect(200).json();
    assert_eq!(first["object"], "refund");
    assert_eq!(first["status"], "succeeded");
    assert_eq!(first["amount"], 400);
    assert_eq!(first["payment_intent"], id);
    let rest = [("payment_intent", id.as_str())];
    let second = shop.post("/v1/refunds", &rest).await.expect(200).json();
    assert_eq!(second["amount"], 600);
    let third = shop.post("/v1/refunds", &rest).await.expect(400).json();
    assert_eq!(third["error"]["code"], "charge_already_refunded");
    let path = format!("/v1/refunds?payment_intent={id}&limit=1");
    let page = shop.get(&path).await.expect(200).json();
    assert_eq!(page["data"][0]["id"], second["id"]);
    assert_eq!(page["has_more"], true);
    let after = second["id"].as_str().unwrap();
    let page = shop
        .get(&format!("{path}&starting_after={after}"))
        .await
        .json();
    assert_eq!(page["data"][0]["id"], first["id"]);
    assert_eq!(page["has_more"], false);
}

#[tokio::test]
async fn what_was_not_captured_cannot_be_refunded() {
    let shop = Shop::open().await;
    let id = shop.authorize("pm_card_visa").await.expect(200).id();
    refund(&shop, &id, "1").await.expect(400);
    let capture = format!("/v1/payment_intents/{id}/capture");
    shop.post(&capture, &[("amount_to_capture", "700")])
        .await
        .expect(200);
    refund(&shop, &id, "701").await.expect(400);
    refund(&shop, &id, "700").await.expect(200);
    refund(&shop, "pi_nowhere", "1").await.expect(404);
    refund(&shop, &id, "0").await.expect(400);
    shop.get("/v1/refunds/re_nowhere").await.expect(404);
}

#[tokio::test]
async fn a_pending_refund_settles_by_itself_and_is_told() {
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let shop = Shop::open_with(|settings| settings.webhooks.url = Some(url)).await;
    for (method, status, event) in [
        ("pm_sim_refund_pending", "succeeded", "refund.updated"),
        ("pm_sim_refund_fails", "failed", "refund.failed"),
    ] {
        let id = shop.pay(method).await;
        let pending = refund(&shop, &id, "600").await.expect(200);
        assert_eq!(pending.json()["status"], "pending");
        refund(&shop, &id, "600").await.expect(400);
        let path = format!("/v1/refunds/{}", pending.id());
        eventually("the refund settles", async || {
            shop.get(&path).await.json()["status"] == status
        })
        .await;
        eventually("the event arrives", async || {
            receiver.kinds().contains(&event.to_owned())
        })
        .await;
        let event = receiver.got().into_iter().find(|got| got.kind() == event);
        let object = event.unwrap().event()["data"]["object"].clone();
        assert_eq!(object["id"], pending.id());
        assert_eq!(object["status"], status);
        let rest = if status == "failed" { "1000" } else { "400" };
        refund(&shop, &id, rest).await.expect(200);
    }
}

#[tokio::test]
async fn a_refund_left_pending_settles_after_a_restart() {
    let shop = Shop::open_with(|settings| settings.refunds.settle_ms = 2500).await;
    let id = shop.pay("pm_sim_refund_pending").await;
    let pending = refund(&shop, &id, "600").await.expect(200).id();
    let shop = shop.restart().await;
    let path = format!("/v1/refunds/{pending}");
    assert_eq!(shop.get(&path).await.json()["status"], "pending");
    assert_eq!(shop.totals().await["gbp"]["refund_pending_minor"], 600);
    eventually("the refund settles", async || {
        shop.get(&path).await.json()["status"] == "succeeded"
    })
    .await;
    let totals = shop.totals().await;
    assert_eq!(totals["gbp"]["refunded_minor"], 600);
    assert_eq!(totals["gbp"]["refund_pending_minor"], json!(0));
}
