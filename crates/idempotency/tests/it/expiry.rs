use crate::shop::{Buy, How, call, count, database, effects, execute, fresh, once, once_by};
use idempotency::prune;
use std::time::Duration;
use uuid::Uuid;

fn forgetful() -> Buy {
    Buy {
        kept_for: Duration::from_millis(30),
        ..Buy::default()
    }
}

#[tokio::test]
async fn an_expired_key_is_replaced_whatever_it_held() {
    let test = database().await;
    let order = Uuid::now_v7();
    for how in [How::Finish, How::Start(order), How::Decline, How::Finish] {
        let _ = once_by(&forgetful(), &test.db, call("k", "tea", how)).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(effects(&test.db).await, ["tea", "tea", "tea"]);
    fresh(once(&test.db, call("k", "coffee", How::Finish)).await);
    assert_eq!(
        count(&test.db, "select count(*) from idempotency_keys").await,
        1
    );
}

#[tokio::test]
async fn only_expired_keys_are_pruned_and_in_batches() {
    let test = database().await;
    for n in 0..10 {
        let key = format!("old{n}");
        fresh(once(&test.db, call(&key, &key, How::Finish)).await);
    }
    execute(
        &test.db,
        "update idempotency_keys set expires_at = now() - interval '1 s'",
    )
    .await;
    fresh(once(&test.db, call("new", "new", How::Finish)).await);
    assert_eq!(prune(&test.db, 7).await.unwrap(), 7);
    assert_eq!(prune(&test.db, 7).await.unwrap(), 3);
    assert_eq!(prune(&test.db, 7).await.unwrap(), 0);
    let left = "select count(*) from idempotency_keys where key = 'new'";
    assert_eq!(count(&test.db, left).await, 1);
}
