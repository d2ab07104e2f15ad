//! Waiting for the end of what a call began, until the caller's deadline. The
//! answer is whatever is stored under the key then: a call and its repeats get
//! the same bytes, whoever comes first.

use std::time::Duration;

use idempotency::{Answer as _, Saved};
use rpc::Deadline;
use tokio::sync::oneshot;
use types::OrderId;
use uuid::Uuid;

use super::journal::{kept, placed_answer};
use super::reply::method;
use super::waiting::Awaited;
use super::{App, Error, Reply, Settled};
use crate::domain::{Order, Refusal, State, WorkState};
use crate::store::{order_works, orders};

/// For the answer's way back to the caller.
const MARGIN: Duration = Duration::from_millis(200);
/// How often the database is asked, in case another process does the work.
const POLL: Duration = Duration::from_millis(250);

/// What the end of `awaited` would be answered by now.
struct Standing {
    saved: Saved,
    ended: bool,
}

impl App {
    pub(super) fn expect(&self, awaited: Awaited) -> oneshot::Receiver<Saved> {
        self.0.callers.expect(awaited)
    }

    /// Waits for the answer, and settles for how things stand when the caller
    /// cannot wait any longer.
    pub(super) async fn settle(
        &self,
        awaited: Awaited,
        mut told: oneshot::Receiver<Saved>,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let deadline = deadline.less(MARGIN);
        let saved = loop {
            let wait = POLL.min(deadline.remaining());
            match tokio::time::timeout(wait, &mut told).await {
                Ok(Ok(saved)) => break Ok(saved),
                Ok(Err(_)) => told = self.expect(awaited),
                Err(_) => {}
            }
            match self.look(awaited, deadline.has_passed()).await {
                Ok(Some(saved)) => break Ok(saved),
                Ok(None) => {}
                Err(error) if deadline.has_passed() => break Err(error),
                Err(error) => tracing::warn!(%error, "cannot see how an order stands"),
            }
        };
        drop(told);
        self.0.callers.forget(awaited);
        saved.map(|saved| Settled {
            saved,
            replayed: false,
        })
    }

    /// The answer, if the work has ended or `now` is the time to answer anyway.
    async fn look(&self, awaited: Awaited, now: bool) -> Result<Option<Saved>, Error> {
        self.0
            .db
            .retry(|| async {
                let mut tx = self.0.db.begin().await?;
                let standing = standing(&mut tx, awaited).await?;
                if !standing.ended && !now {
                    return Ok(None);
                }
                let (method, resource) = awaited;
                let answers = [(method, resource, standing.saved)];
                let stored = idempotency::finish(&mut tx, &answers).await?;
                tx.commit().await?;
                Ok(stored.into_iter().next())
            })
            .await
    }
}

async fn standing(
    conn: &mut sqlx::PgConnection,
    (method, resource): Awaited,
) -> Result<Standing, Error> {
    if matches!(method, method::CREATE_ORDER | method::CANCEL_ORDER) {
        let order = order(conn, OrderId::from_uuid(resource)).await?;
        return Ok(match method {
            method::CREATE_ORDER => Standing {
                saved: placed_answer(&order),
                ended: !matches!(order.state, State::Pending | State::Compensating),
            },
            _ => Standing {
                ended: order.state != State::Compensating,
                saved: Reply::Cancelled(order).saved(),
            },
        });
    }
    work_standing(conn, resource).await
}

async fn work_standing(conn: &mut sqlx::PgConnection, id: Uuid) -> Result<Standing, Error> {
    let work = order_works::get(conn, id).await?;
    let work = work.ok_or(Error::Bug("a key names a work that is not there"))?;
    let order = order(conn, work.order_id).await?;
    let ended = matches!(work.state, WorkState::Done | WorkState::Failed);
    let saved = match work.state {
        WorkState::Failed => {
            let refusal = Refusal::new(&work.failure, "it was refused for good");
            kept(&Error::Refused(refusal))
        }
        WorkState::Requested | WorkState::Running | WorkState::Done => {
            Reply::of_work(work, order).saved()
        }
    };
    Ok(Standing { saved, ended })
}

async fn order(conn: &mut sqlx::PgConnection, id: OrderId) -> Result<Order, Error> {
    let found = orders::get(conn, &[id]).await?.pop();
    found.ok_or(Error::Bug("a key names an order that is not there"))
}
