//! What was answered is there after a restart, and a damaged journal is told.

use futures::future::join_all;
use payment_simulator::{Simulator, StartError};

use crate::shop::{Shop, append, manual};

#[tokio::test]
async fn everything_is_as_it_was_after_a_restart() {
    let shop = Shop::open().await;
    let paid = shop.pay("pm_card_visa").await;
    let mut form = manual("pm_card_mastercard").to_vec();
    form.extend([("metadata[order]", "o-1"), ("description", "two mugs")]);
    let held = shop
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .id();
    let declined = shop.authorize("pm_card_chargeDeclined").await.expect(402);
    let declined = declined.json()["error"]["payment_intent"]["id"].clone();
    let refund = [("payment_intent", paid.as_str()), ("amount", "250")];
    let refund = shop.post("/v1/refunds", &refund).await.expect(200).id();
    let paths = [
        format!("/v1/payment_intents/{paid}"),
        format!("/v1/payment_intents/{held}"),
        format!("/v1/payment_intents/{}", declined.as_str().unwrap()),
        format!("/v1/refunds/{refund}"),
        format!("/v1/refunds?payment_intent={paid}"),
        "/v1/payment_intents?limit=2".to_owned(),
        "/_simulator/books".to_owned(),
    ];
    let mut before = Vec::new();
    for path in &paths {
        before.push(shop.get(path).await.expect(200).body);
    }
    let shop = shop.restart().await;
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(shop.get(path).await.body, before, "{path}");
    }
    let path = format!("/v1/payment_intents/{held}/capture");
    shop.post(&path, &[]).await.expect(200);
}

#[tokio::test]
async fn whatever_was_answered_survives_a_kill_at_that_moment() {
    let shop = Shop::open().await;
    let calls = (0..200).map(|_| shop.pay("pm_card_visa"));
    let answered = join_all(calls).await;
    let after = shop.killed_copy().await;
    for id in answered {
        assert_eq!(after.status_of(&id).await, "succeeded");
    }
    assert_eq!(after.totals().await["gbp"]["captured_minor"], 200_000);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    let shop = Shop::open().await;
    let paid = shop.pay("pm_card_visa").await;
    let journal = shop.journal();
    let (settings, _directory) = shop.stop().await;
    let whole = std::fs::metadata(&journal).unwrap().len();
    append(&journal, br#"{"at":1,"intent":{"id":"pi_to"#);
    let again = Simulator::start(&settings).await.unwrap();
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), whole);
    again.stop(std::time::Duration::from_secs(5)).await;
    let shop = Shop::open_with(|fresh| fresh.books = settings.books.clone()).await;
    assert_eq!(shop.status_of(&paid).await, "succeeded");
    shop.pay("pm_card_visa").await;
    assert_eq!(shop.totals().await["gbp"]["captured_minor"], 2000);
}

#[tokio::test]
async fn a_journal_torn_in_its_first_line_begins_anew() {
    let shop = Shop::open().await;
    let journal = shop.journal();
    let (settings, _directory) = shop.stop().await;
    std::fs::write(&journal, br#"{"jour"#).unwrap();
    let shop = Shop::open_with(|fresh| fresh.books = settings.books.clone()).await;
    shop.pay("pm_card_visa").await;
    let shop = shop.restart_in(&settings).await;
    assert_eq!(shop.totals().await["gbp"]["captured_minor"], 1000);
}

#[tokio::test]
async fn anything_else_unreadable_stops_the_start_and_is_named() {
    let shop = Shop::open().await;
    shop.pay("pm_card_visa").await;
    let journal = shop.journal();
    let (settings, _directory) = shop.stop().await;
    let whole = std::fs::read(&journal).unwrap();
    let damages: [(&[u8], &str); 3] = [
        (b"not json\n", "line 3"),
        (b"{\"at\":1,\"who\":2}\n", "line 3"),
        (b"\n", "line 3"),
    ];
    for (damage, line) in damages {
        std::fs::write(&journal, &whole).unwrap();
        append(&journal, damage);
        let error = Simulator::start(&settings).await.err().unwrap();
        assert!(matches!(error, StartError::Books(_)), "{error}");
        assert!(error.to_string().contains(line), "{error}");
        assert!(error.to_string().contains("books.jsonl"), "{error}");
    }
    std::fs::write(
        &journal,
        b"{\"journal\":\"payment-simulator\",\"version\":2}\n",
    )
    .unwrap();
    let error = Simulator::start(&settings).await.err().unwrap();
    assert!(error.to_string().contains("version"), "{error}");
}

#[tokio::test]
async fn two_simulators_cannot_share_books() {
    let shop = Shop::open().await;
    let error = Simulator::start(shop.settings()).await.err().unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
}
