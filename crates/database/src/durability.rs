//! Whether the server keeps what it has acknowledged.

use crate::{Database, Result};

/// The names of the server settings that are off although an acknowledged
/// write can be lost without them. To be called at start-up and logged.
pub async fn durability_warnings(database: &Database) -> Result<Vec<String>> {
    let mut conn = database.acquire().await?;
    let off = sqlx::query_scalar(
        "select name
         from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as name
         where current_setting(name) = 'off'
         order by name",
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(off)
}
