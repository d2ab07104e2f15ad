//! The contract of idempotency keys, for every call that changes something.

use api::payment::v1 as pb;
use prost::Message;
use rpc::Reason;
use serde_json::json;
use tonic::{Response, Status};
use types::OrderId;

use crate::shop::{
    Shop, Wishes, capturing, creation, is_replayed, keyed, reason, refunding, voiding,
};

#[derive(Debug, Clone, Copy)]
enum Verb {
    Create,
    Confirm,
    Capture,
    Void,
    Refund,
}

const VERBS: [Verb; 5] = [
    Verb::Create,
    Verb::Confirm,
    Verb::Capture,
    Verb::Void,
    Verb::Refund,
];

/// A verb with something to act upon, and something else for another request.
struct Prepared {
    verb: Verb,
    one: String,
    other: String,
}

impl Prepared {
    async fn new(shop: &Shop, verb: Verb) -> Prepared {
        let (one, other) = match verb {
            Verb::Create => (
                OrderId::generate().to_string(),
                OrderId::generate().to_string(),
            ),
            Verb::Confirm | Verb::Capture | Verb::Void => {
                (shop.authorized().await.id, shop.authorized().await.id)
            }
            Verb::Refund => {
                let method = "pm_card_visa";
                (
                    shop.captured_by(method).await.id,
                    shop.captured_by(method).await.id,
                )
            }
        };
        Prepared { verb, one, other }
    }

    /// The encoded answer, and whether it was given before.
    async fn call(&self, shop: &Shop, key: &str, on: &str) -> Result<(Vec<u8>, bool), Status> {
        let mut client = shop.client.clone();
        match self.verb {
            Verb::Create => {
                let order = on.parse().unwrap();
                let request = creation(order, 1, 1_000, "pm_card_visa");
                seen(client.create_payment(keyed(key, request)).await)
            }
            Verb::Confirm => {
                let request = pb::ConfirmPaymentRequest {
                    payment_id: on.to_owned(),
                    etag: String::new(),
                };
                seen(client.confirm_payment(keyed(key, request)).await)
            }
            Verb::Capture => {
                let request = capturing(on, Some(700));
                seen(client.capture_payment(keyed(key, request)).await)
            }
            Verb::Void => seen(client.void_payment(keyed(key, voiding(on))).await),
            Verb::Refund => {
                let request = refunding(on, Some(300));
                seen(client.refund_payment(keyed(key, request)).await)
            }
        }
    }
}

fn seen<M: Message>(response: Result<Response<M>, Status>) -> Result<(Vec<u8>, bool), Status> {
    let response = response?;
    Ok((response.get_ref().encode_to_vec(), is_replayed(&response)))
}

#[tokio::test]
async fn the_same_key_and_request_have_one_effect_and_one_answer() {
    let mut shop = Shop::open().await;
    let mut kept = Vec::new();
    for verb in VERBS {
        let prepared = Prepared::new(&shop, verb).await;
        let (first, replayed) = prepared.call(&shop, "key", &prepared.one).await.unwrap();
        assert!(!replayed, "{verb:?}");
        let again = prepared.call(&shop, "key", &prepared.one).await.unwrap();
        assert_eq!(again.0, first, "{verb:?}");
        kept.push((prepared, first));
    }
    let captured = shop.their_total("gbp", "captured_minor").await;
    let refunded = shop.their_total("gbp", "refunded_minor").await;
    shop.restart().await;
    for (prepared, first) in kept {
        let again = prepared.call(&shop, "key", &prepared.one).await.unwrap();
        assert_eq!(again.0, first, "{:?} after a restart", prepared.verb);
    }
    assert_eq!(shop.their_total("gbp", "captured_minor").await, captured);
    assert_eq!(shop.their_total("gbp", "refunded_minor").await, refunded);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_replay_is_marked_in_the_trailers() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    let request = || keyed("key", creation(order, 1, 1_000, "pm_card_visa"));
    let mut client = shop.client.clone();
    client.create_payment(request()).await.unwrap();
    let (metadata, _, _) = client.create_payment(request()).await.unwrap().into_parts();
    let marked = metadata.get("idempotent-replayed");
    assert_eq!(marked.map(|value| value.to_str().unwrap()), Some("true"));
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let shop = Shop::open().await;
    for verb in VERBS {
        let prepared = Prepared::new(&shop, verb).await;
        prepared.call(&shop, "key", &prepared.one).await.unwrap();
        let other = prepared.call(&shop, "key", &prepared.other).await;
        assert_eq!(reason(other), Reason::IdempotencyKeyReused, "{verb:?}");
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_required() {
    let shop = Shop::open().await;
    for verb in VERBS {
        let prepared = Prepared::new(&shop, verb).await;
        let long = "k".repeat(256);
        for key in ["", long.as_str(), "4242 4242 4242 4242"] {
            let refused = prepared.call(&shop, key, &prepared.one).await;
            assert_eq!(
                reason(refused),
                Reason::IdempotencyKeyInvalid,
                "{verb:?} {key}"
            );
        }
    }
    assert_eq!(
        shop.count("select count(*) from idempotency_keys where method = 'ConfirmPayment'")
            .await,
        0
    );
}

#[tokio::test]
async fn the_same_key_many_times_at_once_has_one_effect() {
    let shop = Shop::open().await;
    for verb in VERBS {
        let prepared = Prepared::new(&shop, verb).await;
        let calls = (0..20).map(|_| prepared.call(&shop, "key", &prepared.one));
        let results = futures::future::join_all(calls).await;
        let (answers, refusals): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert!(!answers.is_empty(), "{verb:?}");
        let (first, _) = prepared.call(&shop, "key", &prepared.one).await.unwrap();
        for answer in answers {
            assert_eq!(answer.unwrap().0, first, "{verb:?}");
        }
        for refusal in refusals {
            assert_eq!(reason(refusal), Reason::IdempotencyInProgress, "{verb:?}");
        }
    }
    shop.assert_sound().await;
}

#[tokio::test]
async fn work_that_a_crash_cut_off_is_resumed_under_its_key() {
    let mut shop = Shop::open_without_webhooks().await;
    let authorized = shop.authorized().await;
    let captured = shop.captured_by("pm_card_visa").await;
    let voided = shop.authorized().await;
    // The provider carries everything out, and nobody is left to hear of it.
    shop.faults(json!({ "lose_by": "hang", "lose_answers": {
        "create_payment_intent": 1, "capture_payment_intent": 1, "create_refund": 1,
        "cancel_payment_intent": 1
    } }))
    .await;
    let order = OrderId::generate();
    let create = creation(order, 1, 1_000, "pm_card_visa");
    let capture = capturing(&authorized.id, None);
    let refund = refunding(&captured.id, Some(600));
    let void = voiding(&voided.id);
    let cut_off = async {
        let _ = tokio::join!(
            shop.create_keyed("key", create.clone()),
            shop.capture_keyed("key", capture.clone()),
            shop.refund_keyed("key", refund.clone()),
            shop.void_keyed("key", void.clone()),
        );
    };
    let _ = tokio::time::timeout(std::time::Duration::from_millis(400), cut_off).await;
    shop.restart().await;

    let made = until_known(|| shop.create_keyed("key", create.clone())).await;
    assert_eq!(made.state(), pb::PaymentState::Authorized);
    assert_eq!(shop.intents_of(&made.id).await.len(), 1);
    let made = until_known(|| shop.capture_keyed("key", capture.clone())).await;
    assert_eq!(made.payment.unwrap().state(), pb::PaymentState::Captured);
    let made = until_known(|| shop.refund_keyed("key", refund.clone())).await;
    assert_eq!(made.payment.unwrap().refunded.unwrap().minor_units, 600);
    let made = until_known(|| shop.void_keyed("key", void.clone())).await;
    assert_eq!(made.unwrap().state(), pb::PaymentState::Voided);
    assert_eq!(shop.their_total("gbp", "refund_count").await, 1);
    assert_eq!(shop.their_total("gbp", "captured_count").await, 2);
    shop.assert_sound().await;
}

/// Repeats a call as a good client does: with the same key, while the outcome
/// is open.
async fn until_known<T, F>(call: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, Status>>,
    T: std::fmt::Debug,
{
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(status) => {
                let told = reason(Err::<(), _>(status));
                let open = [Reason::OutcomeUnknown, Reason::IdempotencyInProgress];
                assert!(open.contains(&told), "{told:?}");
                assert!(tokio::time::Instant::now() < deadline, "still {told:?}");
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn definite_refusals_are_kept_and_others_are_not() {
    let shop = Shop::open_with(Wishes::default()).await;
    let payment = shop.authorized().await;
    let refused = || shop.refund_keyed("early", refunding(&payment.id, Some(1)));
    assert_eq!(reason(refused().await), Reason::IllegalTransition);
    shop.capture(&payment.id, None).await.unwrap();
    assert_eq!(reason(refused().await), Reason::IllegalTransition);

    let nobody = OrderId::generate().to_string();
    let missing = || shop.capture_keyed("nobody", capturing(&nobody, None));
    assert_eq!(reason(missing().await), Reason::NotFound);
    assert_eq!(reason(missing().await), Reason::NotFound);
    assert_eq!(
        shop.count("select count(*) from idempotency_keys where key = 'nobody'")
            .await,
        0
    );
}
