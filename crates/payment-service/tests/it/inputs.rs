//! Bad input is refused with the field named, and nothing is written.

use api::common::v1 as common;
use api::payment::v1 as pb;
use rpc::Reason;
use tonic::Status;
use tonic_types::StatusExt;
use types::OrderId;
use uuid::Uuid;

use crate::shop::{Shop, creation, gbp, keyed, reason};

const CARD: &str = "4242 4242-42424242";

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let bad = details.bad_request().expect("field violations");
    let violations = bad.field_violations.iter();
    violations
        .map(|violation| violation.field.clone())
        .collect()
}

#[tokio::test]
async fn every_bad_creation_is_refused_by_field() {
    let shop = Shop::open().await;
    let good = || creation(OrderId::generate(), 1, 1_000, "pm_card_visa");
    let amount = |minor_units: i64, code: &str| {
        Some(common::Money {
            minor_units,
            currency_code: code.to_owned(),
        })
    };
    let table = [
        (
            pb::CreatePaymentRequest {
                order_id: String::new(),
                ..good()
            },
            "order_id",
        ),
        (
            pb::CreatePaymentRequest {
                order_id: "order 7".to_owned(),
                ..good()
            },
            "order_id",
        ),
        (
            pb::CreatePaymentRequest {
                attempt: 0,
                ..good()
            },
            "attempt",
        ),
        (
            pb::CreatePaymentRequest {
                attempt: -1,
                ..good()
            },
            "attempt",
        ),
        (
            pb::CreatePaymentRequest {
                attempt: 101,
                ..good()
            },
            "attempt",
        ),
        (
            pb::CreatePaymentRequest {
                attempt: i32::MAX,
                ..good()
            },
            "attempt",
        ),
        (
            pb::CreatePaymentRequest {
                amount: None,
                ..good()
            },
            "amount",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(0, "GBP"),
                ..good()
            },
            "amount.minor_units",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(-1, "GBP"),
                ..good()
            },
            "amount.minor_units",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(100_000_000_000, "GBP"),
                ..good()
            },
            "amount.minor_units",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(i64::MAX, "GBP"),
                ..good()
            },
            "amount.minor_units",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(1, "gbp"),
                ..good()
            },
            "amount.currency_code",
        ),
        (
            pb::CreatePaymentRequest {
                amount: amount(1, "ZZZ"),
                ..good()
            },
            "amount.currency_code",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: String::new(),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: "m".repeat(256),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: "pm\n".to_owned(),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: CARD.to_owned(),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: "4242424242424242".to_owned(),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: "card 378282246310005".to_owned(),
                ..good()
            },
            "payment_method",
        ),
        (
            pb::CreatePaymentRequest {
                payment_method: "42".repeat(15),
                ..good()
            },
            "payment_method",
        ),
    ];
    for (request, field) in table {
        let key = Uuid::now_v7().to_string();
        let status = shop.create_keyed(&key, request.clone()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument, "{field}");
        assert_eq!(fields(&status), [field], "{request:?}");
        let digits: String = request
            .payment_method
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if digits.len() > 12 {
            assert!(
                !status.message().contains(&request.payment_method),
                "{status:?}"
            );
        }
    }
    assert_eq!(shop.count("select count(*) from payments").await, 0);
    assert_eq!(shop.count("select count(*) from idempotency_keys").await, 0);
    assert_eq!(shop.their_total("gbp", "intents").await, 0);
}

#[tokio::test]
async fn every_bad_change_of_a_payment_is_refused_by_field() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let mut client = shop.client.clone();
    let capture = |id: &str, amount: Option<i64>, etag: &str| pb::CapturePaymentRequest {
        payment_id: id.to_owned(),
        amount: amount.map(gbp),
        r#final: false,
        etag: etag.to_owned(),
    };
    let captures = [
        (capture("x", None, ""), "payment_id"),
        (capture(&payment.id, Some(0), ""), "amount.minor_units"),
        (capture(&payment.id, Some(-5), ""), "amount.minor_units"),
        (capture(&payment.id, None, "new"), "etag"),
    ];
    for (request, field) in captures {
        let status = client
            .capture_payment(keyed("k", request))
            .await
            .unwrap_err();
        assert_eq!(fields(&status), [field]);
    }
    let refund = |amount: Option<i64>, reason: &str| pb::RefundPaymentRequest {
        payment_id: payment.id.clone(),
        amount: amount.map(gbp),
        reason: reason.to_owned(),
        etag: String::new(),
    };
    let refunds = [
        (refund(Some(i64::MIN), ""), "amount.minor_units"),
        (refund(None, &"r".repeat(201)), "reason"),
        (refund(None, "a\u{0}b"), "reason"),
        (refund(None, &format!("paid with {CARD}")), "reason"),
    ];
    for (request, field) in refunds {
        let status = client
            .refund_payment(keyed("k", request))
            .await
            .unwrap_err();
        assert_eq!(fields(&status), [field]);
    }
    let nothing = pb::VoidPaymentRequest::default();
    let status = client.void_payment(keyed("k", nothing)).await.unwrap_err();
    assert_eq!(fields(&status), ["target"]);
    let card = pb::VoidPaymentRequest {
        reason: CARD.to_owned(),
        ..crate::shop::voiding(&payment.id)
    };
    let status = client.void_payment(keyed("k", card)).await.unwrap_err();
    assert_eq!(fields(&status), ["reason"]);
    let status = client
        .confirm_payment(keyed("k", pb::ConfirmPaymentRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["payment_id"]);
    assert_eq!(shop.get(&payment.id).await, payment);
    shop.assert_sound().await;
}

#[tokio::test]
async fn another_currency_than_the_payments_is_refused() {
    let shop = Shop::open().await;
    let payment = shop.authorized().await;
    let euros = Some(common::Money {
        minor_units: 1,
        currency_code: "EUR".to_owned(),
    });
    let capture = pb::CapturePaymentRequest {
        payment_id: payment.id.clone(),
        amount: euros,
        r#final: false,
        etag: String::new(),
    };
    let refused = shop.capture_keyed("k", capture).await;
    assert_eq!(reason(refused), Reason::CurrencyMismatch);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = Shop::open().await;
    let nobody = Uuid::now_v7().to_string();
    assert_eq!(reason(shop.capture(&nobody, None).await), Reason::NotFound);
    assert_eq!(reason(shop.refund(&nobody, None).await), Reason::NotFound);
    assert_eq!(reason(shop.void(&nobody).await), Reason::NotFound);
    assert_eq!(reason(shop.confirm(&nobody).await), Reason::NotFound);
    assert_eq!(
        reason(shop.of_order(OrderId::generate()).await),
        Reason::NotFound
    );
}

#[tokio::test]
async fn currencies_of_every_exponent_are_charged_in_minor_units() {
    let shop = Shop::open().await;
    for code in ["JPY", "BHD", "EUR"] {
        let mut request = creation(OrderId::generate(), 1, 1_234, "pm_card_visa");
        request.amount.as_mut().unwrap().currency_code = code.to_owned();
        let payment = shop.create_keyed(code, request).await.unwrap();
        assert_eq!(payment.authorized.unwrap().currency_code, code);
        let theirs = shop
            .their_total(&code.to_lowercase(), "authorized_minor")
            .await;
        assert_eq!(theirs, 1_234);
    }
    shop.assert_sound().await;
}
