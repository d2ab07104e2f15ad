use super::{App, Error};
use crate::store::audit::{self, Finding};

impl App {
    /// Changes nothing.
    pub async fn run_audit(&self) -> Result<Vec<Finding>, Error> {
        let mut tx = self.snapshot().await?;
        Ok(audit::run(&mut tx).await?)
    }
}
