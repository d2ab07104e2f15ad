use types::Sku;

use super::{App, Error};
use crate::store::movements::{self, Recorded};

impl App {
    /// Oldest first, after a sequence.
    pub async fn list_movements(
        &self,
        sku: &Sku,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let mut conn = self.db.acquire().await?;
        Ok(movements::page(&mut conn, sku, after, limit).await?)
    }
}
