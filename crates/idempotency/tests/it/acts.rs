//! What the audit log has of calls.

use audit::{Filter, Recorded};
use idempotency::{Call, Origin};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::shop::{Buy, How, Purchase, call, database, fresh, once, replayed};

async fn log(test: &TestDatabase) -> Vec<Recorded> {
    let mut conn = test.db.acquire().await.unwrap();
    let mut log = audit::list(&mut conn, &Filter::default(), None, 1_000)
        .await
        .unwrap();
    log.reverse();
    log
}

fn told(log: &[Recorded]) -> Vec<(&str, &str, i32)> {
    log.iter()
        .map(|act| (act.idempotency_key.as_str(), act.outcome.as_str(), act.code))
        .collect()
}

#[tokio::test]
async fn an_act_is_recorded_once_and_its_replay_is_none() {
    let test = database().await;
    fresh(once(&test.db, call("k-1", "lamp", How::Finish)).await);
    replayed(once(&test.db, call("k-1", "lamp", How::Finish)).await);
    once(&test.db, call("k-1", "other", How::Finish))
        .await
        .unwrap_err();
    let log = log(&test).await;
    assert_eq!(told(&log), [("k-1", "OK", 0)]);
    assert_eq!(log[0].principal, "anna");
    assert_eq!(log[0].method, crate::shop::METHOD);
}

#[tokio::test]
async fn refusals_that_are_kept_are_acts_and_those_that_are_not_are_none() {
    let test = database().await;
    once(&test.db, call("k-1", "lamp", How::Decline))
        .await
        .unwrap_err();
    replayed(once(&test.db, call("k-1", "lamp", How::Decline)).await);
    once(&test.db, call("k-2", "lamp", How::Invalid))
        .await
        .unwrap_err();
    once(&test.db, call("k-3", "lamp", How::Panic))
        .await
        .unwrap_err();
    assert_eq!(told(&log(&test).await), [("k-1", "CODE_9", 9)]);
}

#[tokio::test]
async fn started_work_is_recorded_when_it_starts_with_what_it_makes() {
    let test = database().await;
    let resource = Uuid::now_v7();
    fresh(once(&test.db, call("k-1", "lamp", How::Start(resource))).await);
    let log = log(&test).await;
    assert_eq!(told(&log), [("k-1", "STARTED", 0)]);
    assert_eq!(log[0].resource, Some(resource.to_string()));
}

#[tokio::test]
async fn what_the_edge_knows_of_a_call_is_told() {
    let test = database().await;
    let Call { request, input } = call("k-1", "lamp", How::Start(Uuid::now_v7()));
    let origin = Origin {
        rpc: Some("shop.v1.Shop/Buy"),
        client: Some("till".to_owned()),
        resource: Some("lamp".to_owned()),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
    };
    let request = request.with_origin(origin.clone());
    fresh(once(&test.db, Call { request, input }).await);
    let log = log(&test).await;
    assert_eq!(log[0].method, "shop.v1.Shop/Buy");
    assert_eq!(log[0].client, origin.client);
    assert_eq!(log[0].resource, origin.resource);
    assert_eq!(log[0].trace_id, origin.trace_id);
}

#[tokio::test]
async fn a_batch_that_is_split_records_each_act_once() {
    let test = database().await;
    let calls: Vec<Call<Purchase>> = (0..9)
        .map(|number| {
            let how = match number {
                4 => How::Panic,
                _ => How::Finish,
            };
            call(&format!("k-{number}"), "lamp", how)
        })
        .collect();
    let answers = idempotency::once(&test.db, &Buy::default(), &calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 8);
    let log = log(&test).await;
    let keys: Vec<_> = log.iter().map(|act| act.idempotency_key.as_str()).collect();
    assert_eq!(
        keys,
        ["k-0", "k-1", "k-2", "k-3", "k-5", "k-6", "k-7", "k-8"]
    );
}
