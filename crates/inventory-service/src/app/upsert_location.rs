use database::Connection;
use idempotency::{Acted, Answered, Call, Effect, Verb};

use super::{App, Error};
use crate::{
    domain::{Location, Refusal},
    store::locations,
};

/// Creates or changes a location.
#[derive(Debug, Clone, Copy)]
pub struct UpsertLocation;

/// A location to be stored; its own version is of no account.
#[derive(Debug, Clone)]
pub struct LocationChange {
    pub location: Location,
    /// Only if this is the stored version.
    pub version: Option<i64>,
}

/// The location as stored.
#[derive(Debug, Clone)]
pub struct LocationStored(pub Location);

impl App {
    pub async fn upsert_location(&self, call: Call<LocationChange>) -> Answered<UpsertLocation> {
        self.once(UpsertLocation, call).await
    }
}

impl Verb for UpsertLocation {
    type Input = LocationChange;
    type Output = LocationStored;
    type Error = Error;

    async fn act(
        &self,
        tx: &mut Connection,
        changes: &[&LocationChange],
    ) -> Result<Vec<Acted<Self>>, Error> {
        let mut acted = Vec::with_capacity(changes.len());
        for change in changes {
            acted.push(upsert(tx, change).await?);
        }
        Ok(acted)
    }
}

async fn upsert(
    tx: &mut Connection,
    change: &LocationChange,
) -> Result<Acted<UpsertLocation>, Error> {
    let before = locations::lock(tx, &change.location.id).await?;
    let stored = before.map(|location| location.version);
    if change.version.is_some() && change.version != stored {
        let refusal = Refusal::EtagMismatch {
            kind: "location",
            name: change.location.id.to_string(),
        };
        return Ok(Err(refusal.into()));
    }
    let stored = locations::upsert(tx, &change.location).await?;
    Ok(Ok(Effect::Finished(LocationStored(stored))))
}
