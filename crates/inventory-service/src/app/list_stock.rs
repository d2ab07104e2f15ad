use super::{App, Error};
use crate::{domain::Level, store::levels};

impl App {
    /// By SKU, then location, after the level that `after` names.
    pub async fn list_stock(
        &self,
        filter: &levels::Filter,
        after: Option<(&str, &str)>,
        limit: i64,
    ) -> Result<Vec<Level>, Error> {
        let mut conn = self.db.acquire().await?;
        Ok(levels::page(&mut conn, filter, after, limit).await?)
    }
}
