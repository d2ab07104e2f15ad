//! What clients were told before the restore point is in the books after the
//! restore: the key of each call with its answer, and each order.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::types::Uuid;
use sqlx::{Connection, PgConnection};

use crate::history::{Asked, Entry, History};
use crate::verdict::Check;

type Databases = BTreeMap<&'static str, String>;

/// A restored order.
struct Order {
    state: i16,
    total_minor: Option<i64>,
    units: i64,
}

const CANCELLED: i16 = 7;

pub async fn checks(
    databases: &Databases,
    history: &History,
    point: DateTime<Utc>,
) -> Result<Vec<Check>> {
    let told: Vec<&Entry> = history
        .entries
        .iter()
        .filter(|entry| entry.told.is_ok() && entry.answered < point)
        .collect();
    Ok(vec![
        keys(databases, &told).await?,
        orders(databases, &told).await?,
        works(databases, &told).await?,
    ])
}

/// A key is stored in the transaction of its effect, whichever service it was.
async fn keys(databases: &Databases, told: &[&Entry]) -> Result<Check> {
    let mut check = Check::new(
        "acknowledged-keys",
        "each call that was answered before the restore point has its answer in the books",
    );
    let mut stored: HashSet<String> = HashSet::new();
    for database in ["orders", "inventory"] {
        let mut conn = PgConnection::connect(&databases[database]).await?;
        let done = "select key from idempotency_keys where state = 2";
        let keys: Vec<String> = sqlx::query_scalar(done).fetch_all(&mut conn).await?;
        stored.extend(keys);
    }
    // What a customer does at the provider is no call of ours, and an order that
    // was only accepted has its answer later.
    let ours = told
        .iter()
        .filter(|entry| !matches!(entry.asked, Asked::Act { .. }));
    let ended = ours.filter(|entry| match entry.order_seen() {
        Some(order) => order.state != "PENDING" && order.state != "COMPENSATING",
        None => entry.work_seen().is_none_or(|work| work.state == "DONE"),
    });
    for entry in ended {
        check.looked();
        check.expect(stored.contains(&entry.key), entry.order(), || {
            format!("{} is missing: {}", entry.key, entry.told.words())
        });
    }
    Ok(check)
}

async fn orders(databases: &Databases, told: &[&Entry]) -> Result<Check> {
    let mut check = Check::new(
        "acknowledged-orders",
        "each order that was answered before the restore point is there as it was told",
    );
    let orders = read_orders(&databases["orders"]).await?;
    for entry in told {
        let Some(seen) = entry.order_seen() else {
            continue;
        };
        check.looked();
        let Some(order) = Uuid::parse_str(&seen.id)
            .ok()
            .and_then(|id| orders.get(&id))
        else {
            check.broken(Some(&seen.id), format!("missing: {}", entry.told.words()));
            continue;
        };
        let units: i64 = seen.lines.iter().map(|line| line.quantity).sum();
        let total_kept = seen.total_minor.is_none() || seen.total_minor == order.total_minor;
        check.expect(total_kept && units == order.units, Some(&seen.id), || {
            let (total, units) = (order.total_minor, order.units);
            format!("{total:?} for {units} units, told was {seen:?}")
        });
        let stays_cancelled = seen.state != "CANCELLED" || order.state == CANCELLED;
        check.expect(stays_cancelled, Some(&seen.id), || {
            format!("was cancelled, and is in state {} now", order.state)
        });
    }
    Ok(check)
}

async fn read_orders(url: &str) -> Result<HashMap<Uuid, Order>> {
    let mut conn = PgConnection::connect(url).await?;
    let rows: Vec<(Uuid, i16, Option<i64>, i64)> = sqlx::query_as(
        "select o.id, o.state, o.total_minor, sum(l.quantity)::bigint
         from orders o
         join order_lines l on l.order_id = o.id
         group by o.id",
    )
    .fetch_all(&mut conn)
    .await?;
    let rows = rows.into_iter().map(|(id, state, total_minor, units)| {
        let order = Order {
            state,
            total_minor,
            units,
        };
        (id, order)
    });
    Ok(rows.collect())
}

/// Shipments, returns and refunds.
async fn works(databases: &Databases, told: &[&Entry]) -> Result<Check> {
    let mut check = Check::new(
        "acknowledged-works",
        "each shipment, return and refund that was answered before the restore point is there",
    );
    let mut conn = PgConnection::connect(&databases["orders"]).await?;
    let all: Vec<(Uuid, i16)> = sqlx::query_as("select id, state from order_works")
        .fetch_all(&mut conn)
        .await?;
    let all: HashMap<Uuid, i16> = all.into_iter().collect();
    for entry in told {
        let Some(seen) = entry.work_seen() else {
            continue;
        };
        check.looked();
        let state = Uuid::parse_str(&seen.id).ok().and_then(|id| all.get(&id));
        let is_kept = state.is_some_and(|state| seen.state != "DONE" || *state == 3);
        check.expect(is_kept, Some(&seen.order), || {
            format!("{} was {}, and is {state:?} now", seen.id, seen.state)
        });
    }
    Ok(check)
}
