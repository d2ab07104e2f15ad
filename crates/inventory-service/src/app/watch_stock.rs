//! Following movements. One worker per process looks how far they reach;
//! streams wait for it and read only what is new.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::{App, Error};
use crate::store::movements::{self, Recorded, Stretch};

/// Rows that a stream reads at once.
const ROWS_MAX: i64 = 500;

/// How far the movements reach, as this process knows.
#[derive(Debug, Clone)]
pub struct Head {
    newest: Arc<watch::Sender<i64>>,
    look: Arc<Notify>,
}

/// What a stream has to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub movements: Vec<Recorded>,
    /// Everything that is wanted up to here is in `movements` or was before.
    pub up_to: i64,
}

/// Where one stream stands.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Empty: all.
    skus: Vec<String>,
    position: i64,
    head: watch::Receiver<i64>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            newest: Arc::new(watch::Sender::new(0)),
            look: Arc::default(),
        }
    }
}

impl Head {
    pub(super) fn look_again(&self) {
        self.look.notify_one();
    }

    /// Until somebody in this process has committed something.
    pub async fn to_look_again(&self) {
        self.look.notified().await;
    }
}

impl App {
    /// Finds out how far the movements reach, and tells the streams.
    pub async fn look_for_movements(&self) -> Result<(), Error> {
        let newest = self.newest_movement().await?;
        self.head().newest.send_if_modified(|known| {
            let is_news = newest > *known;
            *known = (*known).max(newest);
            is_news
        });
        Ok(())
    }

    /// Begins after a sequence; `None`: with what comes from now on.
    pub async fn watch_stock(&self, skus: Vec<String>, after: Option<i64>) -> Result<Watch, Error> {
        let head = self.head().newest.subscribe();
        let position = match after {
            Some(after) => after,
            None => self.newest_movement().await?,
        };
        Ok(Watch {
            skus,
            position,
            head,
        })
    }

    /// The next stretch; empty when there is nothing new at this moment.
    pub async fn read_on(&self, watch: &mut Watch) -> Result<Seen, Error> {
        let up_to = *watch.head.borrow_and_update();
        if up_to <= watch.position {
            return Ok(Seen {
                movements: Vec::new(),
                up_to: watch.position,
            });
        }
        let stretch = Stretch {
            after: watch.position,
            up_to,
            skus: &watch.skus,
        };
        let mut conn = self.db.acquire().await?;
        let found = movements::stretch(&mut conn, stretch, ROWS_MAX).await?;
        let is_cut = found.len() as i64 >= ROWS_MAX;
        watch.position = match found.last() {
            Some(last) if is_cut => last.sequence,
            _ => up_to,
        };
        if is_cut {
            watch.head.mark_changed();
        }
        Ok(Seen {
            movements: found,
            up_to: watch.position,
        })
    }

    async fn newest_movement(&self) -> Result<i64, Error> {
        let mut conn = self.db.acquire().await?;
        Ok(movements::newest(&mut conn).await?)
    }
}

impl Watch {
    /// Until there is something to read.
    pub async fn changed(&mut self) {
        // The sender lives as long as the service does.
        if self.head.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
