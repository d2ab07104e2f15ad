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
use crate::domain::{Order, Reach, Refusal, State, WorkState};
use crate::store::{order_works, orders};

/// For the answer's way back to the caller.
const MARGIN: Duration = Duration::from_millis(200);
/// How often the database is asked, in case another process does the work.
const POLL: Duration = Duration::from_millis(250);

impl App {
    pub(super) fn expect(&self, awaited: Awaited) -> oneshot::Receiver<Saved> {
        self.0.callers.expect(awaited)
    }

    /// Waits for the answer, and settles for how things stand when the caller
    /// cannot wait any longer. `order` is known when its saga was begun here:
    /// as long as it runs here, it will tell, and the database is not asked.
    pub(super) async fn settle(
        &self,
        awaited: Awaited,
        order: Option<OrderId>,
        mut told: oneshot::Receiver<Saved>,
        deadline: Deadline,
    ) -> Result<Settled, Error> {
        let deadline = deadline.less(MARGIN);
        let runs_here = || order.is_some_and(|order| self.0.claims.holds(order));
        let saved = loop {
            let wait = POLL.min(deadline.remaining());
            match tokio::time::timeout(wait, &mut told).await {
                Ok(Ok(saved)) => break Ok(saved),
                Ok(Err(_)) => told = self.expect(awaited),
                Err(_) if runs_here() && !deadline.has_passed() => continue,
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
        if !now && !self.has_ended(awaited).await? {
            return Ok(None);
        }
        self.0
            .db
            .retry(|| async {
                let mut tx = self.0.db.begin().await?;
                let (method, resource) = awaited;
                let answers = [(method, resource, standing(&mut tx, awaited).await?)];
                let stored = idempotency::finish(&mut tx, &answers).await?;
                failpoint::around!("order.answer", "commit", tx.commit().await)?;
                Ok(stored.into_iter().next())
            })
            .await
    }

    async fn has_ended(&self, (method, resource): Awaited) -> Result<bool, Error> {
        let mut conn = self.0.db.acquire().await?;
        if matches!(method, method::CREATE_ORDER | method::CANCEL_ORDER) {
            let state = orders::state(&mut conn, OrderId::from_uuid(resource)).await?;
            let pending = method == method::CREATE_ORDER && state == Some(State::Pending);
            return Ok(!pending && state != Some(State::Compensating));
        }
        let state = order_works::state(&mut conn, resource).await?;
        Ok(matches!(state, Some(WorkState::Done | WorkState::Failed)))
    }
}

/// What the end of `awaited` would be answered by now.
async fn standing(
    conn: &mut database::Connection,
    (method, resource): Awaited,
) -> Result<Saved, Error> {
    let id = OrderId::from_uuid(resource);
    match method {
        method::CREATE_ORDER => Ok(placed_answer(&order(conn, id).await?)),
        method::CANCEL_ORDER => Ok(Reply::Cancelled(order(conn, id).await?).saved()),
        _ => work_standing(conn, resource).await,
    }
}

async fn work_standing(conn: &mut database::Connection, id: Uuid) -> Result<Saved, Error> {
    let work = order_works::get(conn, id).await?;
    let work = work.ok_or(Error::Bug("a key names a work that is not there"))?;
    let order = order(conn, work.order_id).await?;
    Ok(match work.state {
        WorkState::Failed => {
            let refusal = Refusal::new(&work.failure, "it was refused for good");
            kept(&Error::Refused(refusal))
        }
        WorkState::Requested | WorkState::Running | WorkState::Done => {
            Reply::of_work(work, order).saved()
        }
    })
}

async fn order(conn: &mut database::Connection, id: OrderId) -> Result<Order, Error> {
    let found = orders::get(conn, &[id], &Reach::All).await?.pop();
    found.ok_or(Error::Bug("a key names an order that is not there"))
}
