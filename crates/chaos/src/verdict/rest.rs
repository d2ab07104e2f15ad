//! Everything has come to rest.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::Row;

use super::books_orders::{AWAITING_ACTION, COMPENSATING, NEEDS_ATTENTION, PENDING, state_name};
use super::check::Check;
use super::events;
use super::evidence::Evidence;
use super::site::{DATABASES, Site};

const SAGA_S_MAX: f64 = 60.0;
const POLL: Duration = Duration::from_millis(500);

/// How long a session is looked at: no honest transaction waits for its client
/// so long.
const LOOK: Duration = Duration::from_secs(2);

const SESSIONS: (&str, &str) = (
    "no-idle-transaction",
    "no session of a service sits in an open transaction, and none is prepared",
);

/// Waits until no work is open and no event unread anywhere, at most
/// `patience`. Gives how long it took; none when something is open still: the
/// checks will say what.
pub async fn settle(site: &Site, patience: Duration) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < patience {
        let is_done = matches!(open_work(site).await, Ok(0));
        if is_done && matches!(events::unhandled(site).await, Ok(0)) {
            return Some(began.elapsed());
        }
        tokio::time::sleep(POLL).await;
    }
    None
}

/// Sagas, events and payments that are not at their end. A Postgres that cannot
/// be reached yet is an error.
async fn open_work(site: &Site) -> Result<i64> {
    let statements = [
        (
            "orders",
            "select (select count(*) from orders where next_run_at is not null and state <> 2)
                  + (select count(*) from outbox)",
        ),
        (
            "payments",
            // One that has ended and is looked at again may be held there still.
            "select (select count(*) from payments
                     where state in (1, 2)
                        or void_requested and state < 6
                        or state > 6 and next_check_at is not null)
                  + (select count(*) from captures where state = 1)
                  + (select count(*) from refunds where state = 1)
                  + (select count(*) from outbox)",
        ),
        ("inventory", "select count(*) from outbox"),
    ];
    let mut open = 0;
    for (database, statement) in statements {
        let mut conn = site.connect(database).await?;
        let of_database: i64 = sqlx::query_scalar(statement).fetch_one(&mut conn).await?;
        open += of_database;
    }
    Ok(open)
}

pub fn sagas(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "sagas-end",
        "no saga is older than 60 seconds that waits neither for its customer nor for a person",
    );
    let (mut waiting, mut stopped) = (0, 0);
    for order in evidence.orders.orders.values() {
        check.looked();
        waiting += u32::from(order.state == AWAITING_ACTION);
        stopped += u32::from(order.state == NEEDS_ATTENTION);
        let is_under_way = order.is_due || matches!(order.state, PENDING | COMPENSATING);
        let may_wait = matches!(order.state, AWAITING_ACTION | NEEDS_ATTENTION);
        let is_old = order.idle_s > SAGA_S_MAX;
        check.expect(
            !is_under_way || may_wait || !is_old,
            Some(&order.id),
            || {
                let (state, idle, tries) = (state_name(order.state), order.idle_s, order.tries);
                let error = &order.last_error;
                format!("{state}, nothing happened for {idle:.0} s, {tries} tries, {error:?}")
            },
        );
    }
    check.remark = Some(format!(
        "{waiting} wait for their customers, {stopped} for a person"
    ));
    check
}

/// Sessions in a transaction that had begun already when the look began.
pub async fn sessions(site: &Site) -> Check {
    let looked = look_at_sessions(site).await;
    looked.unwrap_or_else(|error| Check::failed(SESSIONS.0, SESSIONS.1, &error))
}

async fn look_at_sessions(site: &Site) -> Result<Check> {
    let mut check = Check::new(SESSIONS.0, SESSIONS.1);
    let mut first = HashMap::new();
    for database in DATABASES {
        first.insert(database, idle(site, database, &mut check).await?);
    }
    tokio::time::sleep(LOOK).await;
    for database in DATABASES {
        let mut unused = Check::new("", "");
        for (session, what) in idle(site, database, &mut unused).await? {
            if first[database].contains_key(&session) {
                check.broken(None, format!("{database}: {what}"));
            }
        }
        let mut conn = site.connect(database).await?;
        let prepared = "select count(*) from pg_prepared_xacts where database = current_database()";
        let prepared: i64 = sqlx::query_scalar(prepared).fetch_one(&mut conn).await?;
        check.expect(prepared == 0, None, || {
            format!("{database}: {prepared} prepared transactions")
        });
    }
    Ok(check)
}

/// By process and the beginning of its transaction.
async fn idle(
    site: &Site,
    database: &'static str,
    check: &mut Check,
) -> Result<HashMap<(i32, String), String>> {
    let mut conn = site.connect(database).await?;
    let rows = sqlx::query(
        "select pid, state, coalesce(xact_start::text, ''), application_name, query
         from pg_stat_activity
         where datname = current_database()
           and backend_type = 'client backend'
           and pid <> pg_backend_pid()",
    );
    let mut idle = HashMap::new();
    for row in rows.fetch_all(&mut conn).await? {
        check.looked();
        let state: Option<String> = row.try_get(1)?;
        if state.is_some_and(|state| state.starts_with("idle in transaction")) {
            let (who, query): (String, String) = (row.try_get(3)?, row.try_get(4)?);
            let session = (row.try_get(0)?, row.try_get(2)?);
            idle.insert(session, format!("{who} sits after {query:?}"));
        }
    }
    Ok(idle)
}
