use crate::shop::{Buy, How, ShopError, call, count, database, effects, fresh, once, replayed};
use database::AsDatabaseError;
use idempotency::{Answered, Failure, Outcome, once as once_for_many};

fn error_of(answered: &Answered<Buy>) -> &database::Error {
    match answered {
        Err(Failure::Refused(error)) => error.as_database_error().expect("of the database"),
        other => panic!("should be refused: {other:?}"),
    }
}

#[tokio::test]
async fn every_call_of_a_batch_gets_its_own_answer_in_order() {
    let test = database().await;
    fresh(once(&test.db, call("old", "old", How::Finish)).await);
    let calls = [
        call("a", "a", How::Finish),
        call("old", "old", How::Finish),
        call("old", "changed", How::Finish),
        call("b", "b", How::Decline),
        call("c", "c", How::Invalid),
        call("d", "d", How::Finish),
    ];
    let answers = once_for_many(&test.db, &Buy::default(), &calls).await;
    let [a, old, changed, b, c, d] = <[_; 6]>::try_from(answers).unwrap();
    assert!(fresh(a).0.starts_with("a "));
    assert!(replayed(old).body.starts_with(b"old "));
    assert!(matches!(changed, Err(Failure::KeyReused)));
    assert!(matches!(b, Err(Failure::Refused(ShopError::Declined))));
    assert!(matches!(c, Err(Failure::Refused(ShopError::Invalid))));
    assert!(fresh(d).0.starts_with("d "));
    assert_eq!(effects(&test.db).await, ["a", "d", "old"]);
    // a, b, d and old; c is not stored
    assert_eq!(
        count(&test.db, "select count(*) from idempotency_keys").await,
        4
    );
}

#[tokio::test]
async fn an_item_that_breaks_a_constraint_fails_alone() {
    let test = database().await;
    fresh(once(&test.db, call("first", "poison", How::Unique)).await);
    let names = ["a", "b", "poison", "c", "d", "e", "f"];
    let calls = names.map(|name| call(name, name, How::Unique));
    let answers = once_for_many(&test.db, &Buy::default(), &calls).await;
    for (name, answered) in names.iter().zip(answers) {
        match *name {
            "poison" => assert_eq!(
                error_of(&answered).constraint(),
                Some("effects_unique_name_key")
            ),
            name => assert!(fresh(answered).0.starts_with(name)),
        }
    }
    assert_eq!(
        effects(&test.db).await,
        ["a", "b", "c", "d", "e", "f", "poison"]
    );
}

#[tokio::test]
async fn an_item_that_panics_fails_alone() {
    let test = database().await;
    let calls = [
        call("a", "a", How::Finish),
        call("b", "b", How::Panic),
        call("c", "c", How::Finish),
    ];
    let answers = once_for_many(&test.db, &Buy::default(), &calls).await;
    let [a, b, c] = <[_; 3]>::try_from(answers).unwrap();
    fresh(a);
    let error = error_of(&b);
    assert!(!error.is_transient() && !error.is_unavailable(), "{error}");
    fresh(c);
    assert_eq!(effects(&test.db).await, ["a", "c"]);
}

#[tokio::test]
async fn of_one_key_twice_in_a_batch_the_first_runs() {
    let test = database().await;
    let calls = [
        call("k", "tea", How::Finish),
        call("k", "tea", How::Finish),
        call("k", "coffee", How::Finish),
    ];
    let answers = once_for_many(&test.db, &Buy::default(), &calls).await;
    let [first, equal, unequal] = <[_; 3]>::try_from(answers).unwrap();
    fresh(first);
    assert!(
        matches!(equal, Err(Failure::InProgress { .. })),
        "{equal:?}"
    );
    assert!(matches!(unequal, Err(Failure::KeyReused)), "{unequal:?}");
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn an_empty_batch_is_answered_by_nothing() {
    let test = database().await;
    assert!(
        once_for_many(&test.db, &Buy::default(), &[])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_database_that_is_down_fails_each_call_as_unavailable_without_splitting() {
    let test = database().await;
    test.db.close().await;
    let calls = ["a", "b", "c"].map(|name| call(name, name, How::Finish));
    let answers = once_for_many(&test.db, &Buy::default(), &calls).await;
    assert_eq!(answers.len(), 3);
    for answered in &answers {
        assert!(error_of(answered).is_unavailable());
    }
    let outcomes = answers
        .iter()
        .filter(|a| matches!(a, Ok(Outcome::Fresh(_))));
    assert_eq!(outcomes.count(), 0);
}
