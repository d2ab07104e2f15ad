//! Counts what breaks an invariant.

use super::{App, Error};
use crate::store::audit::{self, Finding};

impl App {
    pub async fn run_audit(&self) -> Result<Vec<Finding>, Error> {
        self.0
            .db
            .retry(|| async {
                let mut tx = self.0.db.begin().await?;
                // All invariants are judged by one state of the books.
                audit::freeze(&mut tx).await?;
                let findings = audit::run(&mut tx).await?;
                tx.commit().await?;
                Ok(findings)
            })
            .await
    }
}
