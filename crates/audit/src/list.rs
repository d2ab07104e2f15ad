use chrono::{DateTime, Utc};
use database::Connection;

/// Which entries to list; `None`: all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub principal: Option<String>,
    pub method: Option<String>,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Recorded {
    /// Grows in the order of recording.
    pub id: i64,
    pub recorded_at: DateTime<Utc>,
    pub principal: String,
    pub client: Option<String>,
    pub method: String,
    pub idempotency_key: String,
    pub resource: Option<String>,
    /// 0, or the gRPC code of the refusal.
    pub code: i32,
    /// `OK`, `STARTED`, which part was done, or the reason of the refusal.
    pub outcome: String,
    pub trace_id: Option<String>,
}

/// At most `limit` entries, newest first, older than the entry `before`.
pub async fn list(
    conn: &mut Connection,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> database::Result<Vec<Recorded>> {
    let entries = sqlx::query_as(
        "select id, recorded_at, principal, client, method, idempotency_key, resource,
                code, outcome, trace_id
         from audit_log
         where ($1::text is null or principal = $1)
           and ($2::text is null or method = $2)
           and ($3::bigint is null or id < $3)
         order by id desc
         limit $4",
    )
    .bind(&filter.principal)
    .bind(&filter.method)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(entries)
}
