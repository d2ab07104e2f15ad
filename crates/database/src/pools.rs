//! How full the pools of this process are, told to whoever reads its metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use sqlx::PgPool;
use telemetry::metrics::{KeyValue, Observations, observe};

use crate::watch::Watch;

struct Seen {
    pool: Weak<PgPool>,
    watch: Weak<Watch>,
}

/// Weak, so that a pool ends when its last user drops it.
static POOLS: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Of all pools of one database.
#[derive(Default)]
struct Sum {
    idle: usize,
    used: usize,
    max: u32,
}

pub(crate) fn tell_of(pool: &Arc<PgPool>, watch: &Arc<Watch>) {
    static TOLD: Once = Once::new();
    TOLD.call_once(tell);
    let (pool, watch) = (Arc::downgrade(pool), Arc::downgrade(watch));
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.retain(|seen| seen.pool.strong_count() > 0);
    pools.push(Seen { pool, watch });
}

fn tell() {
    observe(
        "db.pool.connections",
        "{connection}",
        "Connections that are open, by what they do.",
        |observations| each(|namespace, sum| sum.tell_connections(observations, namespace)),
    );
    observe(
        "db.pool.max",
        "{connection}",
        "How many connections the pool may open.",
        |observations| each(|namespace, sum| sum.tell_max(observations, namespace)),
    );
}

/// One value for each database: two under the same labels would be one too many.
fn each(mut tell: impl FnMut(KeyValue, Sum)) {
    let mut sums = BTreeMap::<String, (KeyValue, Sum)>::new();
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let living = pools
        .iter()
        .filter_map(|seen| Some((seen.pool.upgrade()?, seen.watch.upgrade()?)));
    for (pool, watch) in living.filter(|(pool, _)| !pool.is_closed()) {
        let namespace = watch.namespace();
        let name = namespace.value.as_str().into_owned();
        let (_, sum) = sums
            .entry(name)
            .or_insert_with(|| (namespace.clone(), Sum::default()));
        sum.add(&pool);
    }
    drop(pools);
    for (namespace, sum) in sums.into_values() {
        tell(namespace, sum);
    }
}

impl Sum {
    fn add(&mut self, pool: &PgPool) {
        let open = usize::try_from(pool.size()).unwrap_or(usize::MAX);
        // The two are not read at the same moment.
        let idle = pool.num_idle().min(open);
        self.idle += idle;
        self.used += open - idle;
        self.max += pool.options().get_max_connections();
    }

    fn tell_connections(&self, observations: &mut Observations<'_>, namespace: KeyValue) {
        for (state, count) in [("idle", self.idle), ("used", self.used)] {
            let labels = [namespace.clone(), KeyValue::new("state", state)];
            observations.set(count as f64, &labels);
        }
    }

    fn tell_max(&self, observations: &mut Observations<'_>, namespace: KeyValue) {
        observations.set(f64::from(self.max), &[namespace]);
    }
}
