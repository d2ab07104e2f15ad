//! A verb whose concurrent calls share transactions.

use std::sync::Arc;

use batch::Gatherer;
use database::Database;
use idempotency::{Acted, Answered, Call, Effect, Failure, Verb};
use tracing::Span;

use super::{AfterCommit, Error};
use crate::domain::Refusal;

/// Calls in one transaction. Each may have a thousand lines.
const CALLS_MAX: usize = 64;

pub(crate) struct Gathered<V: Verb>(Gatherer<Call<V::Input>, Answered<V>>);

impl<V: Verb> Clone for Gathered<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V> Gathered<V>
where
    V: Verb<Error = Error> + 'static,
    V::Input: 'static,
    V::Output: Sync + 'static,
{
    pub(crate) fn spawn(
        name: &'static str,
        verb: V,
        db: &Database,
        after_commit: &AfterCommit,
    ) -> Self {
        let shared = Arc::new((verb, db.clone(), after_commit.clone()));
        Self(Gatherer::spawn(
            name,
            CALLS_MAX,
            move |calls: Vec<Call<V::Input>>| {
                let shared = shared.clone();
                async move {
                    let (verb, db, after_commit) = &*shared;
                    let answers = idempotency::once(db, verb, &calls).await;
                    after_commit.wake();
                    answers
                }
            },
        ))
    }

    pub(crate) async fn call(&self, call: Call<V::Input>) -> Answered<V> {
        let answer = self.0.call(call).await;
        answer.unwrap_or_else(|error| Err(Failure::Refused(error.into())))
    }

    /// Each stands alone, in its own span; one answer per call, in order.
    pub(crate) async fn call_many(&self, calls: Vec<(Span, Call<V::Input>)>) -> Vec<Answered<V>> {
        let answers = self.0.call_many(calls).await.into_iter();
        answers
            .map(|answer| answer.unwrap_or_else(|error| Err(Failure::Refused(error.into()))))
            .collect()
    }
}

/// What a verb did for one input, as its keys need it.
pub(crate) fn finished<V: Verb<Error = Error>>(decided: Result<V::Output, Refusal>) -> Acted<V> {
    decided.map(Effect::Finished).map_err(Error::Refused)
}
