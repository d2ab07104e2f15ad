//! How sagas stand, for metrics.

use super::{App, Error};
use crate::{metrics, store::sagas};

impl App {
    pub async fn measure_sagas(&self) -> Result<(), Error> {
        let mut conn = self.0.db.acquire().await?;
        let (oldest, needing_attention) = sagas::standing(&mut conn).await?;
        metrics::standing(oldest, needing_attention);
        Ok(())
    }
}
