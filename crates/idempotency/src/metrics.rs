//! How calls with a key are answered.

use std::sync::LazyLock;

use telemetry::metrics::{Counter, KeyValue, counter};

use crate::{Answered, Failure, Outcome, Refusal, Verb};

static ANSWERS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "idempotency.answers",
        "{answer}",
        "Answers to calls that carry an idempotency key.",
    )
});

pub(crate) fn answered<V: Verb>(answers: &[Answered<V>]) {
    for answer in answers {
        ANSWERS.add(1, &[KeyValue::new("kind", kind::<V>(answer))]);
    }
}

fn kind<V: Verb>(answer: &Answered<V>) -> &'static str {
    match answer {
        Ok(Outcome::Fresh(_)) => "fresh",
        Ok(Outcome::Replayed(_)) => "replayed",
        Ok(Outcome::Resumed { .. }) => "resumed",
        // Another request's key, or one whose first call still runs.
        Err(Failure::KeyReused | Failure::InProgress { .. }) => "refused",
        // A refusal that is kept is an answer like any other.
        Err(Failure::Refused(error)) if error.saved().is_some() => "fresh",
        Err(Failure::Refused(_)) => "failed",
    }
}
