use audit::{Filter, Recorded};

use super::{App, Error};

impl App {
    /// Newest first, older than the entry `before`.
    pub async fn list_audit_entries(
        &self,
        filter: &Filter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let mut conn = self.db.acquire().await?;
        Ok(audit::list(&mut conn, filter, before, limit).await?)
    }
}
