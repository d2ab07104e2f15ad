//! How far the relay is behind, for metrics.

use database::Connection;
use std::time::Duration;

/// The number of events that wait to be published.
pub async fn depth(conn: &mut Connection) -> database::Result<i64> {
    let depth = sqlx::query_scalar("select count(*) from outbox")
        .fetch_one(conn)
        .await?;
    Ok(depth)
}

/// For how long the oldest waiting event has been true; zero if none waits.
pub async fn lag(conn: &mut Connection) -> database::Result<Duration> {
    let lag_ms: Option<i64> = sqlx::query_scalar(
        "select (extract(epoch from clock_timestamp() - created_at) * 1000)::bigint
         from outbox
         order by position
         limit 1",
    )
    .fetch_optional(conn)
    .await?;
    let lag_ms = lag_ms.and_then(|lag| u64::try_from(lag).ok());
    Ok(Duration::from_millis(lag_ms.unwrap_or_default()))
}
