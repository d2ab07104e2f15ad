//! The table `webhook_events`: each event of a provider counts once.

use std::collections::HashSet;

use database::{Connection, Result};
use types::PaymentId;

use super::payments::column;

/// An event to be recorded.
#[derive(Debug, Clone)]
pub struct Received {
    pub event_id: String,
    pub kind: String,
    pub payment_id: Option<PaymentId>,
    pub payload_sha256: [u8; 32],
}

/// Records events of one provider and gives the ids of those that are new.
/// Waits for another transaction that is recording one of them.
pub async fn insert(
    conn: &mut Connection,
    provider: &str,
    events: &[&Received],
) -> Result<HashSet<String>> {
    let mut sorted = events.to_vec();
    sorted.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    let fresh: Vec<String> = sqlx::query_scalar(
        "insert into webhook_events (provider, event_id, kind, payment_id, payload_sha256)
         select $1, event_id, kind, payment_id, payload_sha256
         from unnest($2::text[], $3::text[], $4::uuid[], $5::bytea[])
              as received (event_id, kind, payment_id, payload_sha256)
         on conflict (provider, event_id) do nothing
         returning event_id",
    )
    .bind(provider)
    .bind(column(&sorted, |event| event.event_id.as_str()))
    .bind(column(&sorted, |event| event.kind.as_str()))
    .bind(column(&sorted, |event| {
        event.payment_id.map(|id| id.as_uuid())
    }))
    .bind(column(&sorted, |event| event.payload_sha256.to_vec()))
    .fetch_all(conn)
    .await?;
    Ok(fresh.into_iter().collect())
}

/// Forgets events that no provider sends again; gives how many.
pub async fn prune(conn: &mut Connection, limit: i64) -> Result<u64> {
    let pruned = sqlx::query(
        "delete from webhook_events
         where (provider, event_id) in (
             select provider, event_id
             from webhook_events
             where received_at < now() - interval '30 days'
             limit $1
         )",
    )
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(pruned.rows_affected())
}
