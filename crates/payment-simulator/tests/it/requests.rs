//! What is asked wrongly is refused by name, and nothing is written.

use serde_json::json;

use crate::shop::{API_KEY, Shop, manual, read};

/// Parameters, the one that is wrong, the code.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

const PATH: &str = "/v1/payment_intents";

#[tokio::test]
async fn only_the_right_key_opens_the_api() {
    let shop = Shop::open().await;
    for path in [
        "/v1/payment_intents",
        "/v1/payment_intents/pi_x",
        "/_simulator/books",
    ] {
        let request = || shop.client.get(shop.url(path));
        for wrong in [
            request(),
            request().bearer_auth("sk_test_other"),
            request().basic_auth("sk_test_other", Some("")),
            request().header("Authorization", "Bearer"),
        ] {
            let got = read(wrong.send().await.unwrap()).await.expect(401);
            assert_eq!(got.json()["error"]["type"], "invalid_request_error");
            assert!(!got.body.contains("sk_test"), "{}", got.body);
        }
    }
    let basic = shop
        .client
        .get(shop.url(PATH))
        .basic_auth(API_KEY, Some(""));
    read(basic.send().await.unwrap()).await.expect(200);
}

#[tokio::test]
async fn a_card_number_is_refused_wherever_it_stands_and_nothing_is_written() {
    let shop = Shop::open().await;
    let before = shop.journal_text();
    let card = "4242424242424242";
    let spaced = "4242 4242 4242 4242";
    let with = |name: &'static str, value: &'static str| {
        let mut form = manual("pm_card_visa").to_vec();
        form.push((name, value));
        form
    };
    for form in [
        with("card[number]", "1"),
        with("payment_method_data[card][number]", card),
        with("payment_method_data[card][cvc]", "123"),
        with("description", card),
        with("metadata[note]", "card 4242-4242-4242-4242"),
        with("metadata[4242424242424242]", "x"),
        with("whatever", spaced),
        manual(card).to_vec(),
    ] {
        let got = shop.post(PATH, &form).await.expect(400);
        assert!(!got.body.contains("4242424242424242"), "{}", got.body);
        assert_eq!(got.json()["error"]["code"], "card_data_refused", "{form:?}");
    }
    let in_paths = [
        format!("{PATH}/{card}"),
        format!("{PATH}?starting_after={card}"),
    ];
    for path in in_paths {
        let got = shop.get(&path).await.expect(400);
        assert!(!got.body.contains(card));
    }
    assert_eq!(shop.journal_text(), before);
    assert_eq!(shop.totals().await, json!({}));
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let shop = Shop::open().await;
    let cases: [Case<'_>; 14] = [
        (&[("currency", "gbp")], "amount", "parameter_missing"),
        (&[("amount", "1")], "currency", "parameter_missing"),
        (
            &[("amount", "0"), ("currency", "gbp")],
            "amount",
            "parameter_invalid_integer",
        ),
        (
            &[("amount", "-1"), ("currency", "gbp")],
            "amount",
            "parameter_invalid_integer",
        ),
        (
            &[("amount", "1.5"), ("currency", "gbp")],
            "amount",
            "parameter_invalid_integer",
        ),
        (
            &[("amount", "9223372036854775808"), ("currency", "gbp")],
            "amount",
            "parameter_invalid_integer",
        ),
        (
            &[("amount", "100000000000"), ("currency", "gbp")],
            "amount",
            "amount_too_large",
        ),
        (&[("amount", "1"), ("currency", "xxx")], "currency", ""),
        (&[("amount", "1"), ("currency", "pounds")], "currency", ""),
        (
            &[("amount", "1"), ("currency", "gbp"), ("confirm", "yes")],
            "confirm",
            "parameter_invalid_boolean",
        ),
        (
            &[("amount", "1"), ("currency", "gbp"), ("confirm", "true")],
            "payment_method",
            "parameter_missing",
        ),
        (
            &[
                ("amount", "1"),
                ("currency", "gbp"),
                ("capture_method", "later"),
            ],
            "capture_method",
            "",
        ),
        (
            &[("amount", "1"), ("currency", "gbp"), ("amuont", "2")],
            "amuont",
            "parameter_unknown",
        ),
        (
            &[("amount", "1"), ("currency", "gbp"), ("metadata", "x")],
            "metadata",
            "parameter_unknown",
        ),
    ];
    for (form, param, code) in cases {
        let error = &shop.post(PATH, form).await.expect(400).json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{form:?}");
        assert_eq!(error["param"], param, "{form:?}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{form:?}");
    }
    assert_eq!(shop.totals().await, json!({}));
    let largest = [("amount", "99999999999"), ("currency", "JPY")];
    let made = shop.post(PATH, &largest).await.expect(200).json();
    assert_eq!(made["currency"], "jpy");
    assert_eq!(made["status"], "requires_payment_method");
}

#[tokio::test]
async fn metadata_comes_back_and_has_limits() {
    let shop = Shop::open().await;
    let mut form = manual("pm_card_visa").to_vec();
    form.push((
        "metadata[payment_id]",
        "01936f2e-8a4b-7c3d-8123-123456789012",
    ));
    form.push(("metadata[empty]", ""));
    let made = shop.post(PATH, &form).await.expect(200).json();
    let expected = json!({"payment_id": "01936f2e-8a4b-7c3d-8123-123456789012"});
    assert_eq!(made["metadata"], expected);
    let long = "x".repeat(501);
    form.push(("metadata[long]", &long));
    shop.post(PATH, &form).await.expect(400);
}

#[tokio::test]
async fn a_body_that_is_too_long_or_no_form_is_refused() {
    let shop = Shop::open().await;
    let long = "x".repeat(70_000);
    shop.post(PATH, &[("description", &long)]).await.expect(400);
    let json = shop.client.post(shop.url(PATH)).bearer_auth(API_KEY);
    let json = json.json(&json!({"amount": 1}));
    read(json.send().await.unwrap()).await.expect(400);
}

#[tokio::test]
async fn unknown_urls_and_ids_are_not_found() {
    let shop = Shop::open().await;
    let got = shop.get("/v1/charges").await.expect(404).json();
    assert_eq!(got["error"]["type"], "invalid_request_error");
    shop.get("/v1/payment_intents/pi_x/capture")
        .await
        .expect(404);
    let got = shop
        .get("/v1/payment_intents/pi_x")
        .await
        .expect(404)
        .json();
    assert_eq!(got["error"]["code"], "resource_missing");
    for verb in ["confirm", "capture", "cancel"] {
        shop.post(&format!("{PATH}/pi_x/{verb}"), &[])
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn captures_keep_within_the_authorized_amount() {
    let shop = Shop::open().await;
    let id = shop.authorize("pm_card_visa").await.expect(200).id();
    let capture = format!("{PATH}/{id}/capture");
    let part = |amount| [("amount_to_capture", amount), ("final_capture", "false")];
    let first = shop.post(&capture, &part("400")).await.expect(200).json();
    assert_eq!(first["status"], "requires_capture");
    assert_eq!(first["amount_received"], 400);
    assert_eq!(first["amount_capturable"], 600);
    let more = shop.post(&capture, &part("601")).await.expect(400).json();
    assert_eq!(more["error"]["code"], "amount_too_large");
    let last = [("amount_to_capture", "500")];
    let last = shop.post(&capture, &last).await.expect(200).json();
    assert_eq!(last["status"], "succeeded");
    assert_eq!(last["amount_received"], 900);
    assert_eq!(last["amount_capturable"], 0);
    let late = shop.post(&capture, &part("100")).await.expect(400).json();
    assert_eq!(late["error"]["code"], "payment_intent_unexpected_state");
    assert_eq!(late["error"]["payment_intent"]["id"], id);
}

#[tokio::test]
async fn what_ended_stays_as_it_is() {
    let shop = Shop::open().await;
    let paid = shop.pay("pm_card_visa").await;
    let held = shop.authorize("pm_card_visa").await.expect(200).id();
    let canceled = shop
        .post(&format!("{PATH}/{held}/cancel"), &[])
        .await
        .expect(200);
    assert_eq!(canceled.json()["amount_capturable"], 0);
    assert!(canceled.json()["canceled_at"].is_i64());
    for id in [&paid, &held] {
        for verb in ["confirm", "capture", "cancel"] {
            let got = shop
                .post(&format!("{PATH}/{id}/{verb}"), &[])
                .await
                .expect(400);
            assert_eq!(
                got.json()["error"]["code"],
                "payment_intent_unexpected_state"
            );
        }
    }
}

#[tokio::test]
async fn lists_run_from_the_newest_to_the_oldest_without_gaps() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(shop.pay("pm_card_visa").await);
    }
    made.reverse();
    let mut listed = Vec::new();
    let mut path = format!("{PATH}?limit=3");
    loop {
        let page = shop.get(&path).await.expect(200).json();
        let ids = page["data"].as_array().unwrap().iter();
        listed.extend(ids.map(|intent| intent["id"].as_str().unwrap().to_owned()));
        if page["has_more"] == false {
            break;
        }
        path = format!("{PATH}?limit=3&starting_after={}", listed.last().unwrap());
    }
    assert_eq!(listed, made);
    let newest = shop.get(&format!("{PATH}/{}", made[0])).await.json();
    let from = newest["created"].as_i64().unwrap() + 1;
    let none = shop
        .get(&format!("{PATH}?created[gte]={from}"))
        .await
        .json();
    assert_eq!(none["data"], json!([]));
    let from = from - 60;
    let all = shop
        .get(&format!("{PATH}?created[gte]={from}"))
        .await
        .json();
    assert_eq!(all["data"].as_array().unwrap().len(), 7);
    shop.get(&format!("{PATH}?limit=101")).await.expect(400);
    shop.get(&format!("{PATH}?starting_after=pi_x"))
        .await
        .expect(404);
}
