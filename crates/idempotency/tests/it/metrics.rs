//! What is counted of answers.

use crate::shop::{How, call, database, once};
use testkit::metrics::{alone, counted};

#[test]
fn answers_are_counted_by_whether_the_verb_ran_for_them() {
    alone(
        "metrics::answers_are_counted_by_whether_the_verb_ran_for_them",
        || async {
            let test = database().await;
            let db = &test.db;
            for _ in 0..3 {
                once(db, call("a", "tea", How::Finish)).await.unwrap();
            }
            once(db, call("a", "coffee", How::Finish))
                .await
                .unwrap_err();
            // A refusal that is kept is an answer, and given again.
            once(db, call("b", "tea", How::Decline)).await.unwrap_err();
            once(db, call("b", "tea", How::Decline)).await.unwrap();
            for _ in 0..2 {
                once(db, call("c", "tea", How::Invalid)).await.unwrap_err();
            }
            let answers = |kind| counted("idempotency_answers_total", &[("kind", kind)]);
            assert_eq!(answers("fresh"), 2.0);
            assert_eq!(answers("replayed"), 3.0);
            assert_eq!(answers("refused"), 1.0);
            assert_eq!(answers("failed"), 2.0);
            assert_eq!(answers("resumed"), 0.0);
            assert_eq!(counted("idempotency_answers_total", &[]), 8.0);
        },
    );
}
