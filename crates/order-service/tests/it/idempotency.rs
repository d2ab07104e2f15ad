//! The same key: same request, other request, at the same time, after a
//! restart. For every verb that changes something.

use std::time::Duration;

use api::order::v1 as pb;
use pb::OrderState;
use prost::Message;
use rpc::Reason;
use tonic::{Code, Request, Status};

use crate::fakes::faults::Fault;
use crate::shop::{Shop, basket, fresh_key, keyed, reason, remote};

/// One verb, as bytes: what it answers, and whether that was a replay.
#[derive(Debug, Clone, Copy)]
enum Verb {
    Create,
    Cancel,
    Fulfil,
    Announce,
    Receive,
    Refund,
    Retry,
    Resolve,
}

const VERBS: [Verb; 8] = [
    Verb::Create,
    Verb::Cancel,
    Verb::Fulfil,
    Verb::Announce,
    Verb::Receive,
    Verb::Refund,
    Verb::Retry,
    Verb::Resolve,
];

async fn announce(shop: &Shop, id: &str) -> String {
    let request = pb::CreateReturnRequest {
        order_id: id.to_owned(),
        lines: vec![pb::LineQuantity {
            line_number: 1,
            quantity: 1,
        }],
        ..Default::default()
    };
    let answer = shop
        .orders
        .clone()
        .create_return(keyed(&fresh_key(), request))
        .await;
    answer.unwrap().into_inner().order_return.unwrap().id
}

/// What the verb acts on: an order's id, or a return's.
async fn prepare(shop: &Shop, verb: Verb) -> String {
    match verb {
        Verb::Create => String::new(),
        Verb::Cancel | Verb::Fulfil | Verb::Refund | Verb::Retry => {
            shop.confirmed(basket()).await.id
        }
        Verb::Announce => {
            let id = shop.confirmed(basket()).await.id;
            shop.fulfil(&id).await.unwrap();
            id
        }
        Verb::Receive => {
            let id = shop.confirmed(basket()).await.id;
            shop.fulfil(&id).await.unwrap();
            announce(shop, &id).await
        }
        Verb::Resolve => {
            let id = shop
                .confirmed(crate::shop::paid_by("pm_refund_fails"))
                .await
                .id;
            let order = shop.cancel(&id).await.unwrap();
            assert_eq!(order.state(), OrderState::NeedsAttention);
            id
        }
    }
}

type Answered = Result<(Vec<u8>, bool), Status>;

fn bytes<M: Message>(answer: Result<tonic::Response<M>, Status>) -> Answered {
    let answer = answer?;
    let replayed = answer.metadata().contains_key("idempotent-replayed");
    Ok((answer.into_inner().encode_to_vec(), replayed))
}

/// `other`: a request that differs in one word.
async fn call(shop: &Shop, verb: Verb, key: &str, on: &str, other: bool) -> Answered {
    let word = if other { "other" } else { "same" }.to_owned();
    let order_id = on.to_owned();
    let (mut orders, mut admin) = (shop.orders.clone(), shop.admin.clone());
    match verb {
        Verb::Create => {
            let request = pb::CreateOrderRequest {
                reference: word,
                ..basket()
            };
            bytes(orders.create_order(keyed(key, request)).await)
        }
        Verb::Cancel => {
            let request = pb::CancelOrderRequest {
                order_id,
                reason: word,
                etag: String::new(),
            };
            bytes(orders.cancel_order(keyed(key, request)).await)
        }
        Verb::Fulfil => {
            let request = pb::CreateFulfillmentRequest {
                order_id,
                tracking: word,
                ..Default::default()
            };
            bytes(orders.create_fulfillment(keyed(key, request)).await)
        }
        Verb::Announce => {
            let request = pb::CreateReturnRequest {
                order_id,
                lines: vec![pb::LineQuantity {
                    line_number: 1,
                    quantity: 1,
                }],
                reason: word,
                ..Default::default()
            };
            bytes(orders.create_return(keyed(key, request)).await)
        }
        Verb::Receive => {
            let unknown = uuid::Uuid::nil().to_string();
            let return_id = if other { unknown } else { order_id };
            let request = pb::ReceiveReturnRequest { return_id };
            bytes(orders.receive_return(keyed(key, request)).await)
        }
        Verb::Refund => {
            let request = pb::RefundOrderRequest {
                order_id,
                reason: word,
                ..Default::default()
            };
            bytes(orders.refund_order(keyed(key, request)).await)
        }
        Verb::Retry => {
            let unknown = uuid::Uuid::nil().to_string();
            let order_id = if other { unknown } else { order_id };
            let request = pb::RetrySagaRequest { order_id };
            bytes(admin.retry_saga(keyed(key, request)).await)
        }
        Verb::Resolve => {
            let request = pb::ResolveSagaRequest {
                order_id,
                resolution: pb::SagaResolution::Resume as i32,
                reason: word,
                etag: String::new(),
            };
            bytes(admin.resolve_saga(keyed(key, request)).await)
        }
    }
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_byte_by_byte_also_after_a_restart() {
    let mut shop = Shop::open().await;
    let mut firsts = Vec::new();
    for verb in VERBS {
        let on = prepare(&shop, verb).await;
        let key = fresh_key();
        let (first, replayed) = call(&shop, verb, &key, &on, false).await.unwrap();
        assert!(!replayed, "{verb:?}");
        let (again, _) = call(&shop, verb, &key, &on, false).await.unwrap();
        assert_eq!(first, again, "{verb:?}");
        let reused = call(&shop, verb, &key, &on, true).await.unwrap_err();
        assert_eq!(reason(&reused), Reason::IdempotencyKeyReused, "{verb:?}");
        firsts.push((verb, key, on, first));
    }
    shop.restart().await;
    for (verb, key, on, first) in firsts {
        let (again, _) = call(&shop, verb, &key, &on, false).await.unwrap();
        assert_eq!(first, again, "{verb:?}");
    }
}

#[tokio::test]
async fn calls_with_one_key_at_once_have_one_effect() {
    let shop = Shop::open().await;
    for verb in VERBS {
        let on = prepare(&shop, verb).await;
        let key = fresh_key();
        let calls = (0..6).map(|_| call(&shop, verb, &key, &on, false));
        let answers = futures::future::join_all(calls).await;
        let mut bodies = Vec::new();
        for answer in answers {
            match answer {
                Ok((body, _)) => bodies.push(body),
                Err(status) => {
                    assert_eq!(reason(&status), Reason::IdempotencyInProgress, "{verb:?}");
                    assert!(remote(&status).retry_after.is_some());
                }
            }
        }
        assert!(!bodies.is_empty(), "{verb:?}");
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{verb:?}: all answers are one");
    }
    shop.audit().await;
}

#[tokio::test]
async fn a_refusal_is_kept_and_validation_is_not() {
    let shop = Shop::open().await;
    let key = fresh_key();
    let declined = crate::shop::paid_by("pm_declined");
    let first = shop
        .create_with_key(&key, declined.clone())
        .await
        .unwrap_err();
    let again = shop.create_with_key(&key, declined).await.unwrap_err();
    assert_eq!(first.details(), again.details());
    assert_eq!(reason(&again), Reason::PaymentDeclined);
    assert!(again.metadata().contains_key("idempotent-replayed"));

    let key = fresh_key();
    let mut wrong = basket();
    wrong.lines.clear();
    let status = shop.create_with_key(&key, wrong).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    shop.create_with_key(&key, basket()).await.unwrap();
}

#[tokio::test]
async fn a_key_is_required_and_has_a_shape() {
    let shop = Shop::open().await;
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        for verb in VERBS {
            let id = uuid::Uuid::nil().to_string();
            let status = call(&shop, verb, key, &id, false).await.unwrap_err();
            assert_eq!(reason(&status), Reason::IdempotencyKeyInvalid, "{verb:?}");
        }
    }
    let status = shop
        .orders
        .clone()
        .create_order(Request::new(basket()))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::IdempotencyKeyInvalid);
}

#[tokio::test]
async fn a_second_call_while_the_first_runs_is_told_to_wait() {
    let shop = Shop::open().await;
    shop.fakes
        .faults
        .arm("CreatePayment", &[Fault::Slow(Duration::from_millis(700))]);
    let key = fresh_key();
    let second = async {
        shop.only_order().await;
        shop.create_with_key(&key, basket()).await
    };
    let (first, second) = tokio::join!(shop.create_with_key(&key, basket()), second);
    first.unwrap();
    let status = second.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(reason(&status), Reason::IdempotencyInProgress);
}
