//! Who did what to the money.

use api::common::v1::ListAuditEntriesRequest;
use rpc::Reason;
use types::OrderId;

use crate::shop::{Shop, reason};

#[tokio::test]
async fn every_act_is_in_the_log_once_and_the_provider_s_refusals_too() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    shop.create_keyed(
        "pay-1",
        crate::shop::creation(order, 1, 1_000, "pm_card_visa"),
    )
    .await
    .unwrap();
    shop.create_keyed(
        "pay-1",
        crate::shop::creation(order, 1, 1_000, "pm_card_visa"),
    )
    .await
    .unwrap();
    let declined = shop.create(OrderId::generate(), "pm_card_chargeDeclined");
    assert_eq!(reason(declined.await), Reason::PaymentDeclined);
    let again = shop.create_keyed(
        "pay-2",
        crate::shop::creation(order, 2, 1_000, "pm_card_visa"),
    );
    assert_eq!(reason(again.await), Reason::PaymentExists);

    let mut admin = shop.admin.clone();
    let listed = admin.list_audit_entries(ListAuditEntriesRequest::default());
    let listed = listed.await.unwrap().into_inner().entries;
    let outcomes: Vec<_> = listed.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["PAYMENT_EXISTS", "STARTED", "STARTED"]);
    assert_eq!(listed[2].idempotency_key, "pay-1");
    assert_eq!(listed[2].resource, order.to_string());
    assert_eq!(
        listed[2].method,
        "cartwright.payment.v1.PaymentService/CreatePayment"
    );
    for statement in [
        "update audit_log set principal = 'nobody'",
        "delete from audit_log",
        "truncate audit_log",
    ] {
        assert!(shop.execute(statement).await.is_err(), "{statement}");
    }
    assert_eq!(shop.count("select count(*) from audit_log").await, 3);
}
