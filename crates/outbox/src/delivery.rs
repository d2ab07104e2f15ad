//! One event, from its standing to handled or parked. No Redis here.

use crate::{
    HandleError, Handler, Received,
    inbox::{self, Noted, Standing},
    metrics::{self, Processed},
    parked, spans,
};
use database::{Connection, Database};
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, time::Duration};
use tracing::{Instrument, Span, error};
use uuid::Uuid;

const TRIES_MAX: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What one group does with the events of one stream.
pub(crate) struct Delivery<'a, H> {
    pub(crate) db: &'a Database,
    pub(crate) group: &'a str,
    pub(crate) handler: &'a H,
}

/// Where an event comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Stream,
    Parked,
}

impl<H: Handler> Delivery<'_, H> {
    /// Returns when the event needs no further delivery: it is handled, now or
    /// before, or parked. An error means that the database is away.
    pub(crate) async fn settle(&self, event: &Received) -> database::Result<()> {
        let span = spans::process(self.group, event);
        self.settle_read(event).instrument(span).await
    }

    async fn settle_read(&self, event: &Received) -> database::Result<()> {
        let Some(failure) = self.try_often(event, Source::Stream).await? else {
            return Ok(());
        };
        error!(
            event.id = %event.id, event.kind, aggregate = %event.aggregate, error = %failure,
            "an event is parked, and its aggregate behind it"
        );
        let mut conn = self.db.acquire().await?;
        parked::park(&mut conn, self.group, event, Some(&failure.to_string())).await?;
        metrics::processed(&event.topic, self.group, Processed::Parked);
        Ok(())
    }

    /// Handles the released events of the stream, each aggregate's in order
    /// and until one fails again.
    pub(crate) async fn settle_released(&self, stream: &str) -> database::Result<()> {
        let mut conn = self.db.acquire().await?;
        let aggregates = parked::released(&mut conn, self.group, stream).await?;
        drop(conn);
        for aggregate in aggregates {
            self.settle_aggregate(stream, aggregate).await?;
        }
        Ok(())
    }

    async fn settle_aggregate(&self, stream: &str, aggregate: Uuid) -> database::Result<()> {
        loop {
            let mut conn = self.db.acquire().await?;
            let next = parked::next(&mut conn, self.group, stream, aggregate).await?;
            drop(conn);
            let Some(event) = next else { return Ok(()) };
            let span = spans::process(self.group, &event);
            if let Standing::Parked = self.settle_parked(&event).instrument(span).await? {
                return Ok(());
            }
        }
    }

    async fn settle_parked(&self, event: &Received) -> database::Result<Standing> {
        let Some(failure) = self.try_often(event, Source::Parked).await? else {
            return Ok(Standing::Handled);
        };
        error!(
            event.id = %event.id, event.kind, aggregate = %event.aggregate, error = %failure,
            "a released event failed again"
        );
        let mut conn = self.db.acquire().await?;
        let text = failure.to_string();
        parked::park_again(&mut conn, self.group, event, &text).await?;
        metrics::processed(&event.topic, self.group, Processed::Parked);
        Ok(Standing::Parked)
    }

    /// Gives the last failure when no try succeeded.
    async fn try_often(
        &self,
        event: &Received,
        source: Source,
    ) -> database::Result<Option<HandleError>> {
        let mut pause = FIRST_PAUSE;
        for tries in 1.. {
            match self.db.retry(|| self.try_once(event, source)).await {
                Ok(()) => break,
                Err(HandleError::Database(error))
                    if HandleError::Database(error.clone()).is_outage() =>
                {
                    spans::failed(&Span::current(), "database");
                    return Err(error);
                }
                Err(failure) if tries >= TRIES_MAX => {
                    spans::failed(&Span::current(), failure.kind());
                    return Ok(Some(failure));
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Ok(None)
    }

    async fn try_once(&self, event: &Received, source: Source) -> Result<(), HandleError> {
        let mut tx = self.db.begin().await?;
        let standing = match source {
            Source::Stream => inbox::standing(&mut tx, self.group, event).await?,
            Source::Parked => Standing::New,
        };
        let done = match standing {
            Standing::Handled => Processed::Known,
            Standing::Parked => {
                parked::park(&mut tx, self.group, event, None).await?;
                Processed::Waiting
            }
            Standing::New => self.handle(&mut tx, event).await?,
        };
        if source == Source::Parked {
            parked::take_out(&mut tx, self.group, event).await?;
        }
        failpoint::around!("outbox.delivery", "commit", tx.commit().await)?;
        metrics::processed(&event.topic, self.group, done);
        Ok(())
    }

    async fn handle(
        &self,
        tx: &mut Connection,
        event: &Received,
    ) -> Result<Processed, HandleError> {
        // An insert that waits for another transaction's is the fence between
        // this consumer and one that lost its seat in the middle of an event.
        let noted = inbox::note(tx, self.group, event);
        if let Noted::Again = failpoint::around!("outbox.inbox", "record", noted.await)? {
            return Ok(Processed::Known);
        }
        let handling = async { self.handler.handle(tx, event).await };
        match AssertUnwindSafe(handling).catch_unwind().await {
            Ok(handled) => handled.map(|()| Processed::Handled),
            Err(_) => Err(HandleError::Panicked),
        }
    }
}
