//! What the provider knows and our books do not, as after a restore, is taken
//! over, once.

use api::common::v1::ListAuditEntriesRequest;
use api::payment::v1 as pb;
use pb::BookDifferenceKind as Kind;
use pb::PaymentState;
use rpc::Reason;
use serde_json::Value;
use types::{IdempotencyKey, OrderId, PaymentId};
use uuid::Uuid;

use crate::shop::{Shop, creation, decline_code, keyed, reason, refunding};

impl Shop {
    /// All pages.
    async fn reconcile(&self) -> Vec<pb::BookDifference> {
        let mut differences = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ReconcileProviderRequest {
                created_from: Some(api::to_timestamp(chrono::DateTime::UNIX_EPOCH)),
                page_token,
            };
            let key = Uuid::now_v7().to_string();
            let mut admin = self.admin.clone();
            let answer = admin.reconcile_provider(keyed(&key, request)).await;
            let answer = answer.unwrap().into_inner();
            differences.extend(answer.differences);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                return differences;
            }
        }
    }

    /// Settles everything; gives what was found of each payment.
    async fn reconcile_and_find_no_more(&self) -> Vec<(String, Kind)> {
        let found = self.reconcile().await;
        self.assert_sound().await;
        assert_eq!(self.reconcile().await, []);
        let found = found.into_iter();
        found
            .map(|difference| {
                let kind = difference.kind();
                (difference.payment_id, kind)
            })
            .collect()
    }

    /// A payment that is made at the provider and not here.
    async fn made_elsewhere(&self, order: OrderId, method: &str) -> (String, Value) {
        let id = PaymentId::generate().to_string();
        let form = [
            ("amount", "1000"),
            ("currency", "gbp"),
            ("payment_method", method),
            ("capture_method", "manual"),
            ("confirm", "true"),
            ("metadata[payment_id]", id.as_str()),
            ("metadata[order_id]", &order.to_string()),
        ];
        let made = self.provider_post("/v1/payment_intents", &form).await;
        let made = match made["error"]["payment_intent"].is_object() {
            true => made["error"]["payment_intent"].clone(),
            false => made,
        };
        (id, made)
    }

    async fn there(&self, intent: &str, verb: &str) {
        let path = format!("/v1/payment_intents/{intent}/{verb}");
        let done = self.provider_post(&path, &[]).await;
        assert_eq!(done["id"], intent, "{done}");
    }

    async fn refunded_there(&self, intent: &str, amount: &str, more: &[(&str, &str)]) {
        let mut form = vec![("payment_intent", intent), ("amount", amount)];
        form.extend(more);
        let done = self.provider_post("/v1/refunds", &form).await;
        assert_eq!(done["object"], "refund", "{done}");
    }
}

fn id_of(intent: &Value) -> &str {
    intent["id"].as_str().unwrap()
}

fn kinds(found: &[(String, Kind)], payment: &str) -> Vec<Kind> {
    let found = found.iter().filter(|(id, _)| id == payment);
    found.map(|(_, kind)| *kind).collect()
}

fn minor(money: Option<&api::common::v1::Money>) -> i64 {
    money.unwrap().minor_units
}

#[tokio::test]
async fn payments_that_we_do_not_know_are_written_as_the_provider_has_them() {
    let shop = Shop::open_without_webhooks().await;
    let orders = [(); 6].map(|()| OrderId::generate());
    let (held, _) = shop.made_elsewhere(orders[0], "pm_card_visa").await;
    let (taken, intent) = shop.made_elsewhere(orders[1], "pm_card_visa").await;
    shop.there(id_of(&intent), "capture").await;
    let refund = Uuid::now_v7().to_string();
    let named = [("metadata[refund_id]", refund.as_str())];
    shop.refunded_there(id_of(&intent), "300", &named).await;
    shop.refunded_there(id_of(&intent), "200", &[]).await;
    let (declined, _) = shop
        .made_elsewhere(orders[2], "pm_card_chargeDeclined")
        .await;
    let (cancelled, intent) = shop.made_elsewhere(orders[3], "pm_card_visa").await;
    shop.there(id_of(&intent), "cancel").await;
    let (waiting, _) = shop
        .made_elsewhere(orders[4], "pm_card_authenticationRequired")
        .await;
    let (part, intent) = shop.made_elsewhere(orders[5], "pm_card_visa").await;
    let path = format!("/v1/payment_intents/{}/capture", id_of(&intent));
    shop.provider_post(&path, &[("amount_to_capture", "400")])
        .await;
    let foreign = [("amount", "5"), ("currency", "gbp")];
    shop.provider_post("/v1/payment_intents", &foreign).await;
    assert_eq!(shop.audit().await["M4"].0, 6);

    let found = shop.reconcile_and_find_no_more().await;

    assert_eq!(kinds(&found, &held), [Kind::Payment]);
    assert_eq!(shop.get(&held).await.state(), PaymentState::Authorized);
    let all = [Kind::Payment, Kind::Capture, Kind::Refund, Kind::Refund];
    assert_eq!(kinds(&found, &taken), all);
    let payment = shop.get(&taken).await;
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(minor(payment.captured.as_ref()), 1_000);
    assert_eq!(minor(payment.refunded.as_ref()), 500);
    assert!(payment.refunds.iter().any(|found| found.id == refund));
    let events = ["authorized", "captured", "refunded", "refunded"];
    assert_eq!(shop.events_of(&taken).await, events);
    for (id, state) in [
        (&declined, PaymentState::Declined),
        (&cancelled, PaymentState::Voided),
        (&waiting, PaymentState::RequiresAction),
    ] {
        assert_eq!(kinds(&found, id), [Kind::Payment]);
        assert_eq!(shop.get(id).await.state(), state);
    }
    let payment = shop.get(&part).await;
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(minor(payment.captured.as_ref()), 400);
    assert_eq!(found.len(), 10);
    for order in orders {
        shop.of_order(order).await.unwrap();
    }
}

#[tokio::test]
async fn a_saga_that_asks_again_gets_the_payment_that_was_taken_over() {
    let shop = Shop::open_without_webhooks().await;
    let order = OrderId::generate();
    let refused = OrderId::generate();
    let (id, _) = shop.made_elsewhere(order, "pm_card_visa").await;
    shop.made_elsewhere(refused, "pm_card_chargeDeclined").await;
    shop.reconcile_and_find_no_more().await;
    let again = shop.create(order, "pm_card_visa").await.unwrap();
    assert_eq!(again.id, id);
    let declined = shop.create(refused, "pm_card_chargeDeclined").await;
    assert_eq!(decline_code(declined), "generic_decline");
    assert_eq!(shop.their_total("gbp", "intents").await, 2);
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_became_of_payments_that_we_know_is_taken_over() {
    let shop = Shop::open_without_webhooks().await;
    let captured = shop.authorized().await;
    shop.there(&captured.provider_reference, "capture").await;
    let refunded = shop.captured_by("pm_card_visa").await;
    shop.refunded_there(&refunded.provider_reference, "700", &[])
        .await;
    let voided = shop.authorized().await;
    shop.there(&voided.provider_reference, "cancel").await;
    let untouched = shop.captured_by("pm_card_visa").await;
    shop.refund(&untouched.id, Some(100)).await.unwrap();

    let found = shop.reconcile_and_find_no_more().await;

    assert_eq!(kinds(&found, &captured.id), [Kind::Capture]);
    assert_eq!(kinds(&found, &refunded.id), [Kind::Refund]);
    assert_eq!(kinds(&found, &voided.id), [Kind::State]);
    assert_eq!(found.len(), 3);
    // All is taken already, which is what was asked for.
    let again = shop.capture(&captured.id, None).await.unwrap();
    assert_eq!(minor(again.payment.unwrap().captured.as_ref()), 1_000);
    let too_much = shop.refund(&refunded.id, Some(301)).await;
    assert_eq!(reason(too_much), Reason::RefundExceedsCaptured);
    // Nobody pays for an order whose payment was cancelled.
    let order = OrderId::parse(&voided.order_id).unwrap();
    let anew = shop.create_keyed("anew", creation(order, 2, 1_000, "pm_card_visa"));
    assert_eq!(reason(anew.await), Reason::PaymentVoided);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_refund_that_was_made_under_a_forgotten_key_is_not_made_again() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.captured_by("pm_card_visa").await;
    let key = IdempotencyKey::parse("order:1:refund:1").unwrap();
    let id = idempotency::Request::new("local", "RefundPayment", key, b"").id();
    let named = [("metadata[refund_id]", &*id.to_string())];
    shop.refunded_there(&payment.provider_reference, "300", &named)
        .await;
    shop.reconcile_and_find_no_more().await;
    let request = refunding(&payment.id, Some(300));
    let again = shop.refund_keyed("order:1:refund:1", request).await;
    assert_eq!(again.unwrap().refund.unwrap().id, id.to_string());
    assert_eq!(shop.their_total("gbp", "refund_count").await, 1);
    // Another key is another refund.
    shop.refund(&payment.id, Some(300)).await.unwrap();
    assert_eq!(shop.their_total("gbp", "refund_count").await, 2);
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_payment_that_followed_another_one_takes_its_place() {
    let shop = Shop::open_without_webhooks().await;
    let first = shop.authorized().await;
    let order = OrderId::parse(&first.order_id).unwrap();
    shop.there(&first.provider_reference, "cancel").await;
    let (second, _) = shop.made_elsewhere(order, "pm_card_visa").await;
    let found = shop.reconcile_and_find_no_more().await;
    assert_eq!(kinds(&found, &first.id), [Kind::State]);
    assert_eq!(kinds(&found, &second), [Kind::Payment]);
    let request = creation(order, 2, 1_000, "pm_card_visa");
    let again = shop.create_keyed("again", request).await.unwrap();
    assert_eq!(again.id, second);
}

#[tokio::test]
async fn a_second_payment_of_a_paid_order_gets_an_order_of_its_own() {
    let shop = Shop::open_without_webhooks().await;
    let ours = shop.authorized().await;
    let order = OrderId::parse(&ours.order_id).unwrap();
    let (other, intent) = shop.made_elsewhere(order, "pm_card_visa").await;
    shop.there(id_of(&intent), "capture").await;
    let voided = OrderId::generate();
    shop.void_order(voided).await.unwrap();
    let (late, _) = shop.made_elsewhere(voided, "pm_card_visa").await;
    let found = shop.reconcile_and_find_no_more().await;
    assert_eq!(kinds(&found, &other), [Kind::Payment, Kind::Capture]);
    assert_eq!(shop.get(&other).await.order_id, other);
    assert_eq!(shop.get(&late).await.order_id, late);
    assert_eq!(shop.of_order(order).await.unwrap().id, ours.id);
    // And so it can be given back like any other.
    shop.refund(&other, None).await.unwrap();
    shop.void(&late).await.unwrap();
    shop.assert_sound().await;
}

#[tokio::test]
async fn each_difference_is_in_the_audit_log_and_the_same_key_gets_the_same_answer() {
    let shop = Shop::open_without_webhooks().await;
    let (id, intent) = shop
        .made_elsewhere(OrderId::generate(), "pm_card_visa")
        .await;
    shop.there(id_of(&intent), "capture").await;
    let request = pb::ReconcileProviderRequest {
        created_from: Some(api::to_timestamp(chrono::DateTime::UNIX_EPOCH)),
        page_token: String::new(),
    };
    let mut admin = shop.admin.clone();
    let first = admin.reconcile_provider(keyed("page-1", request.clone()));
    let first = first.await.unwrap().into_inner();
    assert_eq!(first.differences.len(), 2);
    let again = admin.reconcile_provider(keyed("page-1", request)).await;
    assert_eq!(again.unwrap().into_inner(), first);

    let listed = admin.list_audit_entries(ListAuditEntriesRequest::default());
    let listed = listed.await.unwrap().into_inner().entries;
    let outcomes: Vec<_> = listed.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(
        outcomes,
        ["CAPTURE_TAKEN_OVER", "PAYMENT_TAKEN_OVER", "STARTED"]
    );
    assert!(listed[..2].iter().all(|entry| entry.resource == id));
    assert!(listed.iter().all(|entry| entry.idempotency_key == "page-1"));
}

#[tokio::test]
async fn a_long_list_is_gone_through_page_by_page() {
    let shop = Shop::open_without_webhooks().await;
    for _ in 0..103 {
        shop.made_elsewhere(OrderId::generate(), "pm_card_visa")
            .await;
    }
    let found = shop.reconcile_and_find_no_more().await;
    assert_eq!(found.len(), 103);
    let without_time = pb::ReconcileProviderRequest::default();
    let mut admin = shop.admin.clone();
    let refused = admin.reconcile_provider(keyed("none", without_time)).await;
    assert_eq!(reason(refused), Reason::InvalidField);
}

#[tokio::test]
async fn a_payment_that_the_provider_does_not_know_is_for_a_person() {
    let shop = Shop::open_without_webhooks().await;
    let payment = shop.authorized().await;
    shop.execute("update payments set provider_reference = 'pi_elsewhere'")
        .await
        .unwrap();
    let found = shop.reconcile().await;
    assert!(
        found
            .iter()
            .all(|difference| difference.kind() == Kind::Unsettled)
    );
    assert!(
        found
            .iter()
            .any(|difference| difference.payment_id == payment.id)
    );
    assert_eq!(shop.audit().await["M4"].0, 1);
}

#[tokio::test]
async fn while_the_provider_is_away_nothing_is_settled_and_the_key_may_ask_again() {
    let mut shop = Shop::open_without_webhooks().await;
    shop.made_elsewhere(OrderId::generate(), "pm_card_visa")
        .await;
    shop.provider_down().await;
    let request = pb::ReconcileProviderRequest {
        created_from: Some(api::to_timestamp(chrono::DateTime::UNIX_EPOCH)),
        page_token: String::new(),
    };
    let mut admin = shop.admin.clone();
    let refused = admin.reconcile_provider(keyed("page", request.clone()));
    assert_eq!(reason(refused.await), Reason::Unavailable);
    shop.provider_up().await;
    let done = admin.reconcile_provider(keyed("page", request)).await;
    assert_eq!(done.unwrap().into_inner().differences.len(), 1);
}
