use database::Database;

/// Deletes up to `limit` expired keys and gives their number; fewer than
/// `limit` means that none is left. Safe on any number of replicas at once.
pub async fn prune(db: &Database, limit: i64) -> database::Result<u64> {
    let mut conn = db.acquire().await?;
    let deleted = sqlx::query(
        "delete from idempotency_keys
         where ctid = any (array(
             select ctid
             from idempotency_keys
             where expires_at < now()
             order by expires_at
             limit $1
             for update skip locked
         ))",
    )
    .bind(limit)
    .execute(&mut *conn)
    .await?;
    Ok(deleted.rows_affected())
}
