//! Idempotency keys.

use futures::future::join_all;

use crate::shop::{Shop, automatic, manual};

/// Path, parameters, key, status.
type Call<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16);

const PATH: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer_byte_for_byte_even_after_a_restart() {
    let shop = Shop::open().await;
    let id = shop.authorize("pm_card_visa").await.expect(200).id();
    let capture = format!("{PATH}/{id}/capture");
    let cancel = format!("{PATH}/{id}/cancel");
    let good = manual("pm_card_visa");
    let declined = manual("pm_card_chargeDeclined");
    let refund = [("payment_intent", id.as_str()), ("amount", "300")];
    let too_much = [("payment_intent", id.as_str()), ("amount", "701")];
    let calls: [Call<'_>; 6] = [
        (PATH, &good, "create", 200),
        (PATH, &declined, "decline", 402),
        (&capture, &[], "capture", 200),
        (&cancel, &[], "cancel", 400),
        ("/v1/refunds", &refund, "refund", 200),
        ("/v1/refunds", &too_much, "too much", 400),
    ];
    let mut first = Vec::new();
    for (path, form, key, status) in calls {
        let got = shop.post_keyed(path, form, key).await.expect(status);
        assert!(!got.replayed, "{key}");
        first.push(got);
    }
    let totals = shop.totals().await;
    for (call, first) in calls.iter().zip(&first) {
        let again = shop.post_keyed(call.0, call.1, call.2).await;
        assert!(again.replayed, "{}", call.2);
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    let shop = shop.restart().await;
    for (call, first) in calls.iter().zip(&first) {
        let again = shop.post_keyed(call.0, call.1, call.2).await;
        assert!(again.replayed, "{}", call.2);
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    assert_eq!(shop.totals().await, totals);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let shop = Shop::open().await;
    let form = manual("pm_card_visa");
    let id = shop.post_keyed(PATH, &form, "k1").await.expect(200).id();
    let other = shop
        .post_keyed(PATH, &automatic("pm_card_visa"), "k1")
        .await;
    assert_eq!(
        other.expect(400).json()["error"]["type"],
        "idempotency_error"
    );
    let elsewhere = shop
        .post_keyed(&format!("{PATH}/{id}/capture"), &[], "k1")
        .await;
    assert_eq!(
        elsewhere.expect(400).json()["error"]["type"],
        "idempotency_error"
    );
    assert_eq!(shop.status_of(&id).await, "requires_capture");
}

#[tokio::test]
async fn a_request_that_was_never_carried_out_does_not_bind_its_key() {
    let shop = Shop::open().await;
    let wrong = manual("pm_card_nobody");
    shop.post_keyed(PATH, &wrong, "k1").await.expect(400);
    let nowhere = format!("{PATH}/pi_nowhere/capture");
    shop.post_keyed(&nowhere, &[], "k1").await.expect(404);
    let got = shop.post_keyed(PATH, &manual("pm_card_visa"), "k1").await;
    assert!(!got.expect(200).replayed);
}

#[tokio::test]
async fn fifty_at_once_with_one_key_make_one_intent() {
    let shop = Shop::open().await;
    let form = manual("pm_card_visa");
    let got = join_all((0..50).map(|_| shop.post_keyed(PATH, &form, "k1"))).await;
    let answered: Vec<_> = got.iter().filter(|got| got.status == 200).collect();
    assert!(!answered.is_empty());
    assert!(answered.iter().all(|got| got.body == answered[0].body));
    assert_eq!(answered.iter().filter(|got| !got.replayed).count(), 1);
    assert!(got.iter().all(|got| got.status == 200 || got.status == 409));
    assert_eq!(shop.totals().await["gbp"]["intents"], 1);
}

#[tokio::test]
async fn without_a_key_each_call_counts() {
    let shop = Shop::open().await;
    shop.pay("pm_card_visa").await;
    shop.pay("pm_card_visa").await;
    assert_eq!(shop.totals().await["gbp"]["captured_minor"], 2000);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let shop = Shop::open().await;
    let form = manual("pm_card_visa");
    for key in ["", &"k".repeat(256), "4242424242424242"] {
        shop.post_keyed(PATH, &form, key).await.expect(400);
    }
    shop.post_keyed(PATH, &form, &"k".repeat(255))
        .await
        .expect(200);
    assert_eq!(shop.totals().await["gbp"]["intents"], 1);
}
