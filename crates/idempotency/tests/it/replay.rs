use crate::shop::{How, ShopError, call, count, database, effects, fresh, once, replayed};
use idempotency::{Answer, Failure};

#[tokio::test]
async fn a_repeated_key_replays_the_first_answer_byte_for_byte() {
    let test = database().await;
    let first = fresh(once(&test.db, call("k", "tea", How::Finish)).await);
    for _ in 0..3 {
        let again = replayed(once(&test.db, call("k", "tea", How::Finish)).await);
        assert_eq!(again, first.saved());
    }
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_key_with_another_request_is_refused_and_has_no_effect() {
    let test = database().await;
    fresh(once(&test.db, call("k", "tea", How::Finish)).await);
    let other = once(&test.db, call("k", "coffee", How::Finish)).await;
    assert!(matches!(other, Err(Failure::KeyReused)), "{other:?}");
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_key_is_scoped_by_principal_and_method() {
    let test = database().await;
    fresh(once(&test.db, call("k", "tea", How::Finish)).await);
    let mut by_another = call("k", "coffee", How::Finish);
    by_another.request.principal = "bert".to_owned();
    fresh(once(&test.db, by_another).await);
    let mut of_another_method = call("k", "cake", How::Finish);
    of_another_method.request.method = "Shop/Sell";
    fresh(once(&test.db, of_another_method).await);
    assert_eq!(effects(&test.db).await, ["cake", "coffee", "tea"]);
}

#[tokio::test]
async fn a_definite_refusal_is_stored_and_replayed() {
    let test = database().await;
    let first = once(&test.db, call("k", "tea", How::Decline)).await;
    assert!(matches!(first, Err(Failure::Refused(ShopError::Declined))));
    // Were it run again, it would succeed.
    let again = replayed(once(&test.db, call("k", "tea", How::Finish)).await);
    assert_eq!((again.code, again.body), (9, b"declined".to_vec()));
    assert!(effects(&test.db).await.is_empty());
}

#[tokio::test]
async fn a_refusal_that_is_not_stored_leaves_the_key_free() {
    let test = database().await;
    let first = once(&test.db, call("k", "tea", How::Invalid)).await;
    assert!(matches!(first, Err(Failure::Refused(ShopError::Invalid))));
    assert_eq!(
        count(&test.db, "select count(*) from idempotency_keys").await,
        0
    );
    fresh(once(&test.db, call("k", "tea", How::Finish)).await);
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_caller_that_is_gone_before_the_commit_leaves_nothing_behind() {
    let test = database().await;
    let db = test.db.clone();
    let gone = tokio::spawn(async move {
        let slow = How::Slow(Box::new(How::Finish));
        once(&db, call("k", "tea", slow)).await
    });
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert!(effects(&test.db).await.is_empty());
    fresh(once(&test.db, call("k", "tea", How::Finish)).await);
    assert_eq!(effects(&test.db).await, ["tea"]);
}
