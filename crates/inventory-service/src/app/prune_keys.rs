use super::{App, Error};

impl App {
    /// Deletes idempotency keys whose time is over, at most `limit`.
    pub async fn prune_keys(&self, limit: i64) -> Result<u64, Error> {
        Ok(idempotency::prune(&self.db, limit).await?)
    }
}
