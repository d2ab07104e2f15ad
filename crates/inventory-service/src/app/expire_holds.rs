use super::{App, Error};
use crate::store::stockroom;

impl App {
    /// Ends overdue holds, at most `limit`; gives how many it found. Any
    /// number of replicas may do so at once.
    pub async fn expire_holds(&self, limit: i64) -> Result<usize, Error> {
        let expired = self
            .db
            .retry(async || {
                let mut tx = self.db.begin().await?;
                let mut room = stockroom::of_overdue(&mut tx, limit).await?;
                let expired = room.expire_overdue();
                let saved = stockroom::save(&mut tx, &room);
                failpoint::around!("inventory.sweeper", "record", saved.await)?;
                failpoint::around!("inventory.sweeper", "commit", tx.commit().await)?;
                Ok::<_, database::Error>(expired)
            })
            .await?;
        self.after_commit.wake();
        Ok(expired)
    }
}
