//! An order beside a payment that moved without it.

use api::order::v1 as pb;
use pb::OrderDifference as Difference;
use pb::OrderState;
use rpc::Reason;
use types::OrderId;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, keyed, manual, reason};

impl Shop {
    async fn reconcile(&self, id: &str) -> Difference {
        self.reconcile_with_key(&fresh_key(), id).await.difference()
    }

    async fn reconcile_with_key(&self, key: &str, id: &str) -> pb::ReconcileOrderResponse {
        let request = pb::ReconcileOrderRequest {
            order_id: id.to_owned(),
        };
        let mut admin = self.admin.clone();
        let answer = admin.reconcile_order(keyed(key, request)).await;
        answer.unwrap().into_inner()
    }
}

#[tokio::test]
async fn an_order_that_is_as_its_payment_is_left_alone() {
    let shop = Shop::open().await;
    let captured = shop.confirmed(basket()).await;
    let authorized = shop.confirmed(manual()).await;
    for order in [&captured, &authorized] {
        assert_eq!(shop.reconcile(&order.id).await, Difference::None);
        assert_eq!(shop.get(&order.id).await.sequence, order.sequence);
    }
    shop.audit().await;
}

#[tokio::test]
async fn a_refund_that_the_order_does_not_know_is_written_once() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.fakes.money.refund_behind_its_back(&id, 300);
    assert_eq!(shop.reconcile(&id).await, Difference::TakenOver);
    assert_eq!(shop.reconcile(&id).await, Difference::None);
    let order = shop.get(&id).await;
    assert_eq!(order.state(), OrderState::Confirmed);
    assert_eq!(order.refunded.unwrap().minor_units, 300);
    let too_much = shop.refund(&id, Some(451)).await.unwrap_err();
    assert_eq!(reason(&too_much), Reason::RefundExceedsCaptured);
    shop.audit().await;
}

#[tokio::test]
async fn a_capture_that_the_order_does_not_know_is_written_once() {
    let shop = Shop::open().await;
    let id = shop.confirmed(manual()).await.id;
    shop.fakes.money.capture_behind_its_back(&id);
    assert_eq!(shop.reconcile(&id).await, Difference::TakenOver);
    assert_eq!(shop.reconcile(&id).await, Difference::None);
    let captured = shop.get(&id).await.captured.unwrap();
    assert_eq!(captured.minor_units, 750);
    shop.fulfil(&id).await.unwrap();
    shop.audit().await;
}

#[tokio::test]
async fn an_order_whose_money_is_gone_is_cancelled() {
    let shop = Shop::open().await;
    let refunded = shop.confirmed(basket()).await.id;
    shop.fakes.money.refund_behind_its_back(&refunded, 750);
    let voided = shop.confirmed(manual()).await.id;
    shop.fakes.money.void_behind_its_back(&voided);
    for id in [&refunded, &voided] {
        assert_eq!(shop.reconcile(id).await, Difference::Undone);
        let order = shop.rests_in(id, OrderState::Cancelled).await;
        assert_eq!(order.reason.unwrap().code, "PAYMENT_GONE");
        shop.holds_nothing(id);
        assert_eq!(shop.reconcile(id).await, Difference::None);
    }
    assert_eq!(shop.fakes.money.account(&refunded).refunded, 750);
    shop.audit().await;
}

#[tokio::test]
async fn shipped_goods_stay_shipped_whatever_became_of_the_money() {
    let shop = Shop::open().await;
    let id = shop.confirmed(basket()).await.id;
    shop.fulfil(&id).await.unwrap();
    shop.fakes.money.refund_behind_its_back(&id, 750);
    assert_eq!(shop.reconcile(&id).await, Difference::TakenOver);
    let order = shop.get(&id).await;
    assert_eq!(order.state(), OrderState::Fulfilled);
    assert_eq!(order.payment_state(), pb::OrderPaymentState::Refunded);
    shop.audit().await;
}

#[tokio::test]
async fn money_for_an_order_that_does_not_exist_is_given_back_once() {
    let shop = Shop::open().await;
    let held = OrderId::generate().to_string();
    shop.fakes.money.pay_for(&held);
    let taken = OrderId::generate().to_string();
    shop.fakes.money.pay_for(&taken);
    shop.fakes.money.capture_behind_its_back(&taken);
    for id in [&held, &taken] {
        let answer = shop.reconcile_with_key(id, id).await;
        assert_eq!(answer.difference(), Difference::GivenBack);
        assert_eq!(answer.order, None);
        assert_eq!(shop.reconcile_with_key(id, id).await, answer);
        assert_eq!(shop.reconcile(id).await, Difference::None);
    }
    assert_eq!(shop.fakes.money.account(&held).promised, 0);
    let account = shop.fakes.money.account(&taken);
    assert_eq!((account.captured, account.refunded), (750, 750));
    assert_eq!(
        shop.reconcile(&OrderId::generate().to_string()).await,
        Difference::None
    );
    shop.audit().await;
}

#[tokio::test]
async fn while_payments_cannot_be_asked_nothing_is_done() {
    let shop = Shop::open().await;
    let id = OrderId::generate().to_string();
    shop.fakes.money.pay_for(&id);
    shop.fakes.faults.arm("ListPayments", &[Fault::Fail; 50]);
    let request = pb::ReconcileOrderRequest {
        order_id: id.clone(),
    };
    let mut admin = shop.admin.clone();
    let refused = admin.reconcile_order(keyed("key", request)).await;
    assert_eq!(reason(&refused.unwrap_err()), Reason::Unavailable);
    shop.fakes.faults.disarm();
    let answer = shop.reconcile_with_key("key", &id).await;
    assert_eq!(answer.difference(), Difference::GivenBack);
}
