//! When the reconciler looks at a payment.

use std::time::Duration;

use database::{Connection, Result};
use types::{OrderId, PaymentId};
use uuid::Uuid;

/// Plans a check `within` that time at the latest, unless one comes sooner.
pub async fn check_within(
    conn: &mut Connection,
    ids: &[PaymentId],
    within: Duration,
) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(PaymentId::as_uuid).collect();
    sqlx::query(
        "update payments
         set next_check_at = least(next_check_at, now() + make_interval(secs => $2))
         where id = any($1)",
    )
    .bind(ids)
    .bind(within.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(())
}

/// A payment to be checked, with the trace in which it was begun.
#[derive(Debug, Clone)]
pub struct Due {
    pub payment: PaymentId,
    pub order: OrderId,
    pub traceparent: Option<String>,
}

/// Claims payments whose check is due, until `lease` from now or, where checks
/// have been in vain before, for longer; in vain means that nothing changed.
pub async fn claim_due(
    conn: &mut Connection,
    limit: i64,
    lease: Duration,
    pause_max: Duration,
) -> Result<Vec<Due>> {
    let due: Vec<(Uuid, Uuid, Option<String>)> = sqlx::query_as(
        "update payments
         set checks = least(checks + 1, 1000),
             next_check_at = now() + make_interval(
                 secs => greatest($2, least(power(2, least(checks, 30)), $3)))
         where id in (
             select id
             from payments
             where next_check_at <= now()
             order by next_check_at
             limit $1
             for update skip locked
         )
         returning id, order_id, traceparent",
    )
    .bind(limit)
    .bind(lease.as_secs_f64())
    .bind(pause_max.as_secs_f64())
    .fetch_all(conn)
    .await?;
    let due = due.into_iter().map(|(payment, order, traceparent)| Due {
        payment: payment.into(),
        order: order.into(),
        traceparent,
    });
    Ok(due.collect())
}

/// Plans no more checks of a payment that has not changed since `version`.
pub async fn rest(conn: &mut Connection, id: PaymentId, version: i64) -> Result<()> {
    sqlx::query(
        "update payments
         set next_check_at = null, checks = 0
         where id = $1
           and version = $2
           and next_check_at is not null",
    )
    .bind(id.as_uuid())
    .bind(version)
    .execute(conn)
    .await?;
    Ok(())
}
