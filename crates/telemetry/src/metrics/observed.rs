//! What is looked at only when somebody reads: sizes, depths, totals that are
//! kept elsewhere.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter},
};

use super::{installed, instruments::Definition};

/// Where the values of one reading go.
pub struct Observations<'a>(&'a dyn AsyncInstrument<f64>);

impl Observations<'_> {
    pub fn set(&mut self, value: f64, labels: &[KeyValue]) {
        self.0.observe(value, labels);
    }
}

type Read = Arc<dyn Fn(&mut Observations<'_>) + Send + Sync>;

#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Total,
}

struct Observed {
    definition: Definition,
    kind: Kind,
    read: Read,
}

/// Those that came before the SDK.
static WAITING: Mutex<Vec<Observed>> = Mutex::new(Vec::new());

/// Calls `read` at each reading of the metrics, from now on and for ever; it must
/// be quick. Several parts of a process may observe the same name with different
/// labels.
pub fn observe(
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    read: impl Fn(&mut Observations<'_>) + Send + Sync + 'static,
) {
    add(Kind::Gauge, name, unit, description, Arc::new(read));
}

/// The same for a value that only ever grows.
pub fn observe_total(
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    read: impl Fn(&mut Observations<'_>) + Send + Sync + 'static,
) {
    add(Kind::Total, name, unit, description, Arc::new(read));
}

fn add(kind: Kind, name: &'static str, unit: &'static str, description: &'static str, read: Read) {
    let definition = Definition {
        name,
        unit,
        description,
    };
    let observed = Observed {
        definition,
        kind,
        read,
    };
    // Under the lock, so that none falls between waiting and registered.
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    match installed::meter() {
        Some(meter) => register(meter, observed),
        None => waiting.push(observed),
    }
}

pub(super) fn register_all(meter: &Meter) {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    for observed in waiting.drain(..) {
        register(meter, observed);
    }
}

fn register(meter: &Meter, observed: Observed) {
    let Observed {
        definition,
        kind,
        read,
    } = observed;
    let Definition {
        name,
        unit,
        description,
    } = definition;
    let read = move |instrument: &dyn AsyncInstrument<f64>| {
        // A panic would end the thread that reads, and with it all metrics.
        let _ = catch_unwind(AssertUnwindSafe(|| read(&mut Observations(instrument))));
    };
    // The SDK keeps what was built; the handles are empty.
    match kind {
        Kind::Gauge => drop(
            meter
                .f64_observable_gauge(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(read)
                .build(),
        ),
        Kind::Total => drop(
            meter
                .f64_observable_counter(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(read)
                .build(),
        ),
    }
}
