use crate::shop::{Buy, How, METHOD, call, database, effects, fresh, once, once_by, replayed};
use idempotency::{Failure, LEASE, Outcome, Saved, extend, finish, lapse};
use std::time::Duration;
use uuid::Uuid;

fn answer(body: &str) -> Saved {
    Saved {
        code: 0,
        body: body.as_bytes().to_vec(),
    }
}

fn short_lease() -> Buy {
    Buy {
        lease: Duration::from_millis(50),
        ..Buy::default()
    }
}

#[tokio::test]
async fn started_work_is_in_progress_until_it_is_finished_and_then_replayed() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(once(&test.db, call("k", "tea", How::Start(order))).await);
    match once(&test.db, call("k", "tea", How::Start(order))).await {
        Err(Failure::InProgress { retry_after }) => {
            assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(1));
        }
        other => panic!("{other:?}"),
    }
    let other = once(&test.db, call("k", "coffee", How::Finish)).await;
    assert!(matches!(other, Err(Failure::KeyReused)), "{other:?}");

    let mut tx = test.db.begin().await.unwrap();
    let stored = finish(&mut tx, &[(METHOD, order, answer("confirmed"))]).await;
    assert_eq!(stored.unwrap(), [answer("confirmed")]);
    tx.commit().await.unwrap();
    let again = replayed(once(&test.db, call("k", "tea", How::Start(order))).await);
    assert_eq!(again, answer("confirmed"));
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn finishing_again_keeps_the_first_answer_and_an_unknown_resource_keeps_the_given_one() {
    let test = database().await;
    let [one, two, unknown] = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    fresh(once(&test.db, call("one", "one", How::Start(one))).await);
    fresh(once(&test.db, call("two", "two", How::Start(two))).await);
    let mut conn = test.db.acquire().await.unwrap();
    let first = finish(&mut conn, &[(METHOD, one, answer("first"))]).await;
    assert_eq!(first.unwrap(), [answer("first")]);
    let stored = finish(
        &mut conn,
        &[
            (METHOD, unknown, answer("unknown")),
            (METHOD, two, answer("two")),
            (METHOD, one, answer("second")),
            (METHOD, two, answer("two again")),
        ],
    )
    .await;
    let expected = ["unknown", "two", "first", "two"].map(answer);
    assert_eq!(stored.unwrap(), expected);
    assert!(finish(&mut conn, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_rolled_back_leaves_the_work_running() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(once(&test.db, call("k", "tea", How::Start(order))).await);
    let mut tx = test.db.begin().await.unwrap();
    finish(&mut tx, &[(METHOD, order, answer("x"))])
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let again = once(&test.db, call("k", "tea", How::Start(order))).await;
    assert!(
        matches!(again, Err(Failure::InProgress { .. })),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lapsed_work_is_resumed_by_exactly_one_of_many_and_never_restarted() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(
        once_by(
            &short_lease(),
            &test.db,
            call("k", "tea", How::Start(order)),
        )
        .await,
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    let calls = (0..20).map(|_| {
        let db = test.db.clone();
        tokio::spawn(async move { once(&db, call("k", "tea", How::Start(order))).await })
    });
    let mut resumed = 0;
    for answered in futures::future::join_all(calls).await {
        match answered.unwrap() {
            Ok(Outcome::Resumed { resource }) => {
                assert_eq!(resource, order);
                resumed += 1;
            }
            Err(Failure::InProgress { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(resumed, 1);
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_take_over_goes_with_fresh_calls_in_one_batch() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(
        once_by(
            &short_lease(),
            &test.db,
            call("k", "tea", How::Start(order)),
        )
        .await,
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    let calls = [
        call("a", "a", How::Finish),
        call("k", "tea", How::Start(order)),
        call("k", "tea", How::Start(order)),
        call("b", "b", How::Finish),
    ];
    let answers = idempotency::once(&test.db, &Buy::default(), &calls).await;
    let [a, taken, equal, b] = <[_; 4]>::try_from(answers).unwrap();
    fresh(a);
    assert!(matches!(taken, Ok(Outcome::Resumed { resource }) if resource == order));
    assert!(
        matches!(equal, Err(Failure::InProgress { .. })),
        "{equal:?}"
    );
    fresh(b);
}

#[tokio::test]
async fn an_extended_lease_is_not_taken_over() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(
        once_by(
            &short_lease(),
            &test.db,
            call("k", "tea", How::Start(order)),
        )
        .await,
    );
    let mut conn = test.db.acquire().await.unwrap();
    let work = [(METHOD, order), (METHOD, Uuid::nil())];
    extend(&mut conn, &work, LEASE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let again = once(&test.db, call("k", "tea", How::Start(order))).await;
    assert!(
        matches!(again, Err(Failure::InProgress { .. })),
        "{again:?}"
    );

    finish(&mut conn, &[(METHOD, order, answer("x"))])
        .await
        .unwrap();
    extend(&mut conn, &work, Duration::ZERO).await.unwrap();
    let again = replayed(once(&test.db, call("k", "tea", How::Start(order))).await);
    assert_eq!(again, answer("x"));
}

#[tokio::test]
async fn work_that_its_caller_gave_up_is_resumed_at_once_and_finished_work_is_not() {
    let test = database().await;
    let order = Uuid::now_v7();
    fresh(once(&test.db, call("k", "tea", How::Start(order))).await);
    let mut conn = test.db.acquire().await.unwrap();
    lapse(&mut conn, METHOD, order).await.unwrap();
    extend(&mut conn, &[(METHOD, order)], LEASE).await.unwrap();
    match once(&test.db, call("k", "tea", How::Start(order))).await {
        Ok(Outcome::Resumed { resource }) => assert_eq!(resource, order),
        other => panic!("{other:?}"),
    }
    finish(&mut conn, &[(METHOD, order, answer("done"))])
        .await
        .unwrap();
    lapse(&mut conn, METHOD, order).await.unwrap();
    let again = replayed(once(&test.db, call("k", "tea", How::Start(order))).await);
    assert_eq!(again, answer("done"));
}
