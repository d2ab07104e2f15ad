//! What is counted of stock, once its transaction is committed. Answers that
//! are given again count nothing.

use std::sync::LazyLock;

use idempotency::{Answered, Failure, Outcome, Verb};
use telemetry::metrics::{Counter, KeyValue, counter};

use crate::{
    app::{Error, Held, Reserve, Reserved},
    domain::{Adjusted, Refusal},
};

static RESERVATIONS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "stock.reservations",
        "{reservation}",
        "Reservations that were asked for, by what became of them.",
    )
});
static SHORTFALLS: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "stock.shortfalls",
        "{shortfall}",
        "Promises to orders that a correction of the stock broke.",
    )
});

/// Shows from the start that nothing has happened yet: of what is not there, no
/// rate is known.
pub(crate) fn announce() {
    SHORTFALLS.add(0, &[]);
}

pub(crate) fn reserved(answer: &Answered<Reserve>) {
    if let Some(outcome) = outcome(answer) {
        RESERVATIONS.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}

/// `None`: nothing was decided now.
fn outcome(answer: &Answered<Reserve>) -> Option<&'static str> {
    match answer {
        Ok(Outcome::Fresh(Reserved(_, Held::Now))) => Some("held"),
        Ok(Outcome::Fresh(Reserved(_, Held::Before))) => Some("stood"),
        Ok(Outcome::Replayed(_) | Outcome::Resumed { .. }) => None,
        Err(Failure::Refused(Error::Refused(refusal))) => Some(match refusal {
            Refusal::OutOfStock { .. } => "out_of_stock",
            Refusal::UnknownSku { .. } => "unknown_sku",
            _ => "refused",
        }),
        Err(Failure::Refused(_) | Failure::KeyReused | Failure::InProgress { .. }) => None,
    }
}

/// The orders that a correction has cost their goods.
pub(crate) fn corrected<V: Verb>(answer: &Answered<V>, of: impl Fn(&V::Output) -> &Adjusted) {
    if let Ok(Outcome::Fresh(output)) = answer {
        let orders = of(output).shortfall.len();
        SHORTFALLS.add(u64::try_from(orders).unwrap_or(u64::MAX), &[]);
    }
}
