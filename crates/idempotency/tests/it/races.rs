use crate::shop::{Buy, How, call, count, database, effects, fresh, once, replayed};
use database::Database;
use idempotency::{Answer, Failure, Outcome};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_calls_with_one_key_have_one_effect_and_one_answer() {
    let test = database().await;
    let calls = (0..50).map(|_| {
        let db = test.db.clone();
        tokio::spawn(async move { once(&db, call("k", "tea", How::Finish)).await })
    });
    let mut answers = Vec::new();
    let mut fresh = 0;
    for answered in futures::future::join_all(calls).await {
        match answered.unwrap() {
            Ok(Outcome::Fresh(receipt)) => {
                fresh += 1;
                answers.push(receipt.saved());
            }
            Ok(Outcome::Replayed(saved)) => answers.push(saved),
            Err(Failure::InProgress { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fresh, 1);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn the_loser_of_a_race_for_a_key_replays_the_winners_answer() {
    let test = database().await;
    let slow = || How::Slow(Box::new(How::Finish));
    let (one, other) = tokio::join!(
        once(&test.db, call("k", "tea", slow())),
        once(&test.db, call("k", "tea", slow())),
    );
    let (winner, loser) = match one {
        Ok(Outcome::Fresh(_)) => (one, other),
        _ => (other, one),
    };
    assert_eq!(fresh(winner).saved(), replayed(loser));
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_refusal_caused_by_the_keys_own_effect_gives_way_to_its_answer() {
    for how in [How::UnlessThere, How::Unique] {
        let test = database().await;
        let slow = || How::Slow(Box::new(how.clone()));
        let (one, other) = tokio::join!(
            once(&test.db, call("k", "tea", slow())),
            once(&test.db, call("k", "tea", slow())),
        );
        let (winner, loser) = match one {
            Ok(Outcome::Fresh(_)) => (one, other),
            _ => (other, one),
        };
        assert_eq!(fresh(winner).saved(), replayed(loser));
        assert_eq!(effects(&test.db).await, ["tea"]);
    }
}

#[tokio::test]
async fn a_key_held_uncommitted_for_long_is_in_progress_and_delays_only_itself() {
    let test = database().await;
    let mut settings = test.settings.clone();
    settings.lock_timeout_ms = 100;
    let impatient = Database::connect(&settings, "impatient").await.unwrap();
    let mut holder = test.db.begin().await.unwrap();
    sqlx::query(
        "insert into idempotency_keys (principal, method, key, fingerprint, state, code, body, expires_at)
         values ('anna', 'Shop/Buy', 'held', '', 2, 0, '', now() + interval '1 h')",
    )
    .execute(&mut *holder)
    .await
    .unwrap();

    let names = ["a", "b", "held", "c", "d"];
    let calls = names.map(|name| call(name, name, How::Finish));
    let answers = idempotency::once(&impatient, &Buy::default(), &calls).await;
    for (name, answered) in names.iter().zip(answers) {
        match (*name, answered) {
            ("held", Err(Failure::InProgress { retry_after })) => {
                assert!(retry_after > Duration::ZERO);
            }
            ("held", other) => panic!("{other:?}"),
            (_, answered) => {
                fresh(answered);
            }
        }
    }
    assert_eq!(effects(&test.db).await, ["a", "b", "c", "d"]);
    holder.rollback().await.unwrap();
    fresh(once(&impatient, call("held", "held", How::Finish)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overlapping_batches_in_any_order_have_each_effect_once() {
    let test = database().await;
    let names: Vec<String> = (0..40).map(|n| format!("n{n:02}")).collect();
    let runs = (0..8).map(|turn: usize| {
        let db = test.db.clone();
        let mut names = names.clone();
        names.rotate_left(turn * 5);
        if turn.is_multiple_of(2) {
            names.reverse();
        }
        tokio::spawn(async move {
            let calls: Vec<_> = names.iter().map(|n| call(n, n, How::Finish)).collect();
            idempotency::once(&db, &Buy::default(), &calls).await
        })
    });
    for answers in futures::future::join_all(runs).await {
        for answered in answers.unwrap() {
            match answered {
                Ok(Outcome::Fresh(_) | Outcome::Replayed(_)) | Err(Failure::InProgress { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(effects(&test.db).await, names);
    assert_eq!(
        count(&test.db, "select count(*) from idempotency_keys").await,
        40
    );
}
