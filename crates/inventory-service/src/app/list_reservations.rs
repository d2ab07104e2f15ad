use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{App, Error};
use crate::{
    domain::Reservation,
    store::{reservation_lines, reservations},
};

impl App {
    /// The newest first, before the one that `before` names.
    pub async fn list_reservations(
        &self,
        filter: &reservations::Filter,
        before: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Reservation>, Error> {
        let mut tx = self.snapshot().await?;
        let mut page = reservations::page(&mut tx, filter, before, limit).await?;
        reservation_lines::fill(&mut tx, &mut page).await?;
        Ok(page)
    }
}
