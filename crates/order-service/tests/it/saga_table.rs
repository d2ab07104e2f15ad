//! Every step of every way an order can go: run twice, failed, failed for so
//! long that the saga has to wait, its answer lost, crashed before, crashed
//! after. Whatever happens, the order ends where it should and the books of
//! all three services agree.

use api::order::v1 as pb;
use pb::OrderState;
use tonic::Status;

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, keyed, manual, paid_by};

/// One way of an order: how it begins, what is then asked for, where it ends.
struct Way {
    order: pb::CreateOrderRequest,
    then: &'static [Then],
    /// The steps at the peers that belong to the last thing asked for.
    steps: &'static [&'static str],
    end: OrderState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Cancel,
    Fulfil,
    Return,
    Refund,
}

const FAULTS: [&[Fault]; 6] = [
    &[Fault::Twice],
    &[Fault::Fail],
    &[Fault::Fail, Fault::Fail, Fault::Fail, Fault::Fail],
    &[Fault::LoseAnswer],
    &[Fault::HangBefore],
    &[Fault::HangAfter],
];

async fn every_fault_at_every_step(way: Way) {
    for step in way.steps {
        for faults in FAULTS {
            let told = format!("{step} {faults:?}");
            let mut shop = Shop::open().await;
            one(&mut shop, &way, step, faults).await;
            let id = shop.only_order().await.id;
            let order = shop.rests_in(&id, way.end).await;
            assert!(shop.fakes.faults.all_met(), "{told}: the fault was not met");
            agree(&shop, &way, &order).await;
            shop.audit().await;
        }
    }
}

async fn one(shop: &mut Shop, way: &Way, step: &'static str, faults: &[Fault]) {
    let crash = matches!(faults, [Fault::HangBefore | Fault::HangAfter]);
    let (last, before) = match way.then.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, way.then),
    };
    if last.is_none() {
        shop.fakes.faults.arm(step, faults);
        let (create, hang) = (shop.create(way.order.clone()), shop.fakes.faults.hangs());
        match crash {
            true => race(create, hang).await,
            false => drop(create.await),
        }
    } else {
        let id = shop.confirmed(way.order.clone()).await.id;
        for then in before {
            ask(shop, &id, *then).await.unwrap();
        }
        shop.fakes.faults.arm(step, faults);
        if let Some(then) = last {
            let (asked, hang) = (ask(shop, &id, *then), shop.fakes.faults.hangs());
            match crash {
                true => race(asked, hang).await,
                false => drop(asked.await),
            }
        }
    }
    if crash {
        shop.restart().await;
    }
}

/// Until the peer hangs; the call may have been answered before.
async fn race<T>(call: impl Future<Output = T>, hang: impl Future<Output = ()>) {
    tokio::pin!(hang);
    tokio::select! {
        _ = call => hang.await,
        () = &mut hang => {}
    }
}

async fn ask(shop: &Shop, id: &str, then: Then) -> Result<(), Status> {
    match then {
        Then::Cancel => shop.cancel(id).await.map(drop),
        Then::Fulfil => shop.fulfil(id).await.map(drop),
        Then::Refund => shop.refund(id, Some(300)).await.map(drop),
        Then::Return => {
            let request = pb::CreateReturnRequest {
                order_id: id.to_owned(),
                lines: vec![pb::LineQuantity {
                    line_number: 1,
                    quantity: 1,
                }],
                restock: true,
                ..Default::default()
            };
            let mut orders = shop.orders.clone();
            let announced = orders.create_return(keyed(&fresh_key(), request));
            let announced = announced.await?.into_inner().order_return.unwrap();
            let request = pb::ReceiveReturnRequest {
                return_id: announced.id,
            };
            let received = orders.receive_return(keyed(&fresh_key(), request));
            received.await.map(drop)
        }
    }
}

/// What the peers' books must say of an order that went this way.
async fn agree(shop: &Shop, way: &Way, order: &pb::Order) {
    let account = shop.fakes.money.account(&order.id);
    let did = |then| way.then.contains(&then);
    if matches!(way.end, OrderState::Cancelled | OrderState::Rejected) {
        shop.holds_nothing(&order.id);
        assert_eq!(shop.fakes.stock.available("pen"), 1000);
        return;
    }
    let automatic = order.capture_method == pb::CaptureMethod::Automatic as i32;
    let captured = if automatic || did(Then::Fulfil) {
        750
    } else {
        0
    };
    assert_eq!(account.captured, captured);
    assert_eq!(account.promised, 750 - captured);
    let mut refunded = 0;
    refunded += if did(Then::Refund) { 300 } else { 0 };
    refunded += if did(Then::Return) { 250 } else { 0 };
    assert_eq!(account.refunded, refunded);
    assert_eq!(order.captured.as_ref().unwrap().minor_units, captured);
    assert_eq!(order.refunded.as_ref().unwrap().minor_units, refunded);
    let back = i64::from(did(Then::Return));
    assert_eq!(shop.fakes.stock.available("pen"), 998 + back);
    let gone = if did(Then::Fulfil) { 2 } else { 0 };
    assert_eq!(shop.fakes.stock.on_hand("pen"), 1000 - gone + back);
}

#[tokio::test]
async fn an_order_that_is_confirmed() {
    every_fault_at_every_step(Way {
        order: basket(),
        then: &[],
        steps: &["Reserve", "CreatePayment", "Commit", "CapturePayment"],
        end: OrderState::Confirmed,
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_payment_is_declined() {
    every_fault_at_every_step(Way {
        order: paid_by("pm_declined"),
        then: &[],
        steps: &["Reserve", "CreatePayment", "Release"],
        end: OrderState::Rejected,
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_capture_is_refused() {
    every_fault_at_every_step(Way {
        order: paid_by("pm_capture_fails"),
        then: &[],
        steps: &["CapturePayment", "VoidPayment", "Release"],
        end: OrderState::Cancelled,
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_after_its_capture() {
    every_fault_at_every_step(Way {
        order: basket(),
        then: &[Then::Cancel],
        steps: &["RefundPayment", "Release"],
        end: OrderState::Cancelled,
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_its_capture() {
    every_fault_at_every_step(Way {
        order: manual(),
        then: &[Then::Cancel],
        steps: &["VoidPayment", "Release"],
        end: OrderState::Cancelled,
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_captured_when_it_ships() {
    every_fault_at_every_step(Way {
        order: manual(),
        then: &[Then::Fulfil],
        steps: &["CapturePayment", "Fulfill"],
        end: OrderState::Fulfilled,
    })
    .await;
}

#[tokio::test]
async fn an_order_of_which_a_part_comes_back() {
    every_fault_at_every_step(Way {
        order: basket(),
        then: &[Then::Fulfil, Then::Return],
        steps: &["ReturnToStock", "RefundPayment"],
        end: OrderState::Fulfilled,
    })
    .await;
}

#[tokio::test]
async fn an_order_of_which_a_part_is_paid_back() {
    every_fault_at_every_step(Way {
        order: basket(),
        then: &[Then::Refund],
        steps: &["RefundPayment"],
        end: OrderState::Confirmed,
    })
    .await;
}
