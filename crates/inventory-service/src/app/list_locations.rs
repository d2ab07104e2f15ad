use super::{App, Error};
use crate::{domain::Location, store::locations};

impl App {
    /// In the order in which stock is taken, after the location that `after`
    /// names by its priority and id.
    pub async fn list_locations(
        &self,
        after: Option<(i32, &str)>,
        limit: i64,
    ) -> Result<Vec<Location>, Error> {
        let mut conn = self.db.acquire().await?;
        Ok(locations::page(&mut conn, after, limit).await?)
    }
}
