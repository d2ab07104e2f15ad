//! The totals that an audit compares with the shop's own.

use serde_json::json;

use crate::shop::{Shop, automatic};

#[tokio::test]
async fn the_totals_are_the_sums_of_what_was_done() {
    let shop = Shop::open().await;
    let paid = shop.pay("pm_card_visa").await;
    let refund = [("payment_intent", paid.as_str()), ("amount", "250")];
    shop.post("/v1/refunds", &refund).await.expect(200);
    let part = shop.authorize("pm_card_visa").await.expect(200).id();
    let capture = format!("/v1/payment_intents/{part}/capture");
    let form = [("amount_to_capture", "300"), ("final_capture", "false")];
    shop.post(&capture, &form).await.expect(200);
    let held = shop.authorize("pm_card_visa").await.expect(200).id();
    let cancel = format!("/v1/payment_intents/{held}/cancel");
    shop.post(&cancel, &[]).await.expect(200);
    shop.authorize("pm_card_chargeDeclined").await.expect(402);
    let mut yen = automatic("pm_card_visa");
    yen[1].1 = "jpy";
    shop.post("/v1/payment_intents", &yen).await.expect(200);
    let expected = json!({
        "gbp": {
            "intents": 4,
            "authorized_count": 3,
            "authorized_minor": 3000,
            "capturable_minor": 700,
            "captured_count": 2,
            "captured_minor": 1300,
            "canceled_count": 1,
            "refund_count": 1,
            "refunded_minor": 250,
            "refund_pending_minor": 0,
            "refund_failed_minor": 0,
        },
        "jpy": {
            "intents": 1,
            "authorized_count": 1,
            "authorized_minor": 1000,
            "capturable_minor": 0,
            "captured_count": 1,
            "captured_minor": 1000,
            "canceled_count": 0,
            "refund_count": 0,
            "refunded_minor": 0,
            "refund_pending_minor": 0,
            "refund_failed_minor": 0,
        },
    });
    assert_eq!(shop.totals().await, expected);
}
