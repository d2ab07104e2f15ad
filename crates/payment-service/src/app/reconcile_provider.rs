//! `ReconcileProvider`: takes over what the provider knows and our books do
//! not, as after a restore to a point in time. It moves no money.
//!
//! Three lists are gone through, a page for each call: what was made at the
//! provider since a time, what was given back since then, and those of our
//! payments that have not ended. Whatever else may have changed there shows in
//! one of them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Connection;
use futures::{StreamExt, TryStreamExt, stream};
use idempotency::{Acted, Answer, Effect, Outcome, Request, Saved, Verb};
use serde::{Deserialize, Serialize};
use types::{PaymentId, RefundId};
use uuid::Uuid;

use super::ask::not_known;
use super::difference::{Act, Difference, unsettled};
use super::run_audit::{self, Theirs};
use super::settle::News;
use super::take_over::{Ours, Taken, take_over};
use super::{App, AppError, Reply, once};
use crate::domain::{Payment, Refund};
use crate::provider::{Found, ProviderError};
use crate::store::{payments, refunds};

pub(super) const METHOD: &str = "ReconcileProvider";
const PAGE: i64 = 100;
/// Questions to the provider at the same time.
const ASKED_AT_ONCE: usize = 16;
/// As long as a page may take.
const LEASE: Duration = Duration::from_secs(60);
/// A list may be older than our books: what differs is asked about anew.
const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// Which part of the provider's books to look at.
#[derive(Debug, Clone)]
pub struct Window {
    pub created_from: DateTime<Utc>,
    pub place: Place,
}

/// Where in the three lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Intents after this one of the provider's.
    Intents(Option<String>),
    Refunds(Option<String>),
    /// Payments of ours after this one.
    Unfinished(Uuid),
}

/// What came of a page.
#[derive(Debug)]
pub struct Reconciled {
    pub compared: usize,
    pub differences: Vec<Difference>,
    /// `None`: that was all.
    pub next: Option<Place>,
}

impl App {
    /// `render` makes the answer that is kept under the key.
    pub async fn reconcile_provider(
        &self,
        request: Request,
        window: Window,
        render: impl Fn(&Reconciled) -> Saved,
    ) -> Result<Reply, AppError> {
        let act = Act {
            request: request.clone(),
        };
        let resource = match once(&self.db, &ReconcileProvider, request, ()).await? {
            Outcome::Replayed(saved) => return Ok(Reply::replay(saved)),
            Outcome::Fresh(Begun(resource)) | Outcome::Resumed { resource } => resource,
        };
        match self.reconcile_page(&window, &act).await {
            Ok(page) => self.close(resource, render(&page)).await,
            Err(error) => {
                self.give_up(resource).await?;
                Err(error)
            }
        }
    }

    async fn close(&self, resource: Uuid, saved: Saved) -> Result<Reply, AppError> {
        let close = || async {
            let mut tx = self.db.begin().await?;
            let closing = [(METHOD, resource, saved.clone())];
            let kept = idempotency::finish(&mut tx, &closing).await?;
            tx.commit().await?;
            Ok::<_, AppError>(kept)
        };
        let kept = self.db.retry(close).await?;
        Ok(Reply::fresh(kept.into_iter().next().unwrap_or(saved)))
    }

    /// The same key may ask again at once.
    async fn give_up(&self, resource: Uuid) -> Result<(), AppError> {
        let lapse = || async {
            let mut tx = self.db.begin().await?;
            idempotency::lapse(&mut tx, METHOD, resource).await?;
            tx.commit().await
        };
        Ok(self.db.retry(lapse).await?)
    }

    async fn reconcile_page(&self, window: &Window, act: &Act) -> Result<Reconciled, AppError> {
        let from = window.created_from.timestamp();
        let mut differences = Vec::new();
        let (found, next) = match &window.place {
            Place::Intents(after) => {
                let page = self.provider.list(from, after.as_deref()).await;
                let page = page.map_err(not_known)?;
                let next = match page.last {
                    Some(last) => Place::Intents(Some(last)),
                    None => Place::Refunds(None),
                };
                (page.items, Some(next))
            }
            Place::Refunds(after) => {
                let page = self.provider.list_refunds(from, after.as_deref()).await;
                let page = page.map_err(not_known)?;
                let next = match page.last {
                    Some(last) => Place::Refunds(Some(last)),
                    None => Place::Unfinished(Uuid::nil()),
                };
                (self.refunded(&page.items).await?, Some(next))
            }
            Place::Unfinished(after) => {
                let mut conn = self.db.acquire().await?;
                let page = payments::unfinished(&mut conn, *after, PAGE).await?;
                drop(conn);
                let next = page.last().map(|(id, _)| Place::Unfinished(id.as_uuid()));
                (self.look_up_all(page, &mut differences).await?, next)
            }
        };
        let compared = found.len();
        let with_refunds: Vec<(Found, Theirs)> = stream::iter(found)
            .map(|found| self.with_their_refunds(found))
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        for (found, theirs) in with_refunds {
            differences.extend(self.reconcile(found, theirs, act).await?);
        }
        Ok(Reconciled {
            compared,
            differences,
            next,
        })
    }

    async fn with_their_refunds(&self, found: Found) -> Result<(Found, Theirs), AppError> {
        let theirs = self.with_refunds(found.intent.clone()).await?;
        Ok((found, theirs))
    }

    /// The intents of those refunds that we have otherwise or not at all.
    async fn refunded(
        &self,
        listed: &[crate::provider::RefundFound],
    ) -> Result<Vec<Found>, AppError> {
        let ids: Vec<RefundId> = listed
            .iter()
            .filter_map(|refund| refund.refund_id())
            .collect();
        let known: Vec<Refund> = {
            let mut conn = self.db.acquire().await?;
            refunds::open(&mut conn, &[], &ids).await?
        };
        let is_known = |refund: &&crate::provider::RefundFound| {
            known
                .iter()
                .any(|known| refund.refund_id() == Some(known.id) && refund.state() == known.state)
        };
        let mut intents: Vec<String> = listed
            .iter()
            .filter(|refund| !is_known(refund))
            .filter_map(|refund| refund.intent().map(str::to_owned))
            .collect();
        intents.sort_unstable();
        intents.dedup();
        let asked =
            stream::iter(intents).map(|intent| async move { self.provider.look_up(&intent).await });
        let found = asked.buffered(ASKED_AT_ONCE).try_collect().await;
        found.map_err(not_known)
    }

    async fn look_up_all(
        &self,
        page: Vec<(PaymentId, String)>,
        differences: &mut Vec<Difference>,
    ) -> Result<Vec<Found>, AppError> {
        let asked = stream::iter(page)
            .map(|(id, reference)| async move { (id, self.provider.look_up(&reference).await) });
        let answers: Vec<_> = asked.buffered(ASKED_AT_ONCE).collect().await;
        let mut all = Vec::with_capacity(answers.len());
        for (id, answer) in answers {
            match answer {
                Ok(found) => all.push(found),
                Err(ProviderError::NotFound) => {
                    let payment = self.read(id).await?.payment;
                    let message = "the provider does not know the payment";
                    differences.push(unsettled(&payment, message));
                }
                Err(error) => return Err(not_known(error)),
            }
        }
        Ok(all)
    }

    /// Settles one payment. What is not ours is passed over.
    async fn reconcile(
        &self,
        found: Found,
        theirs: Theirs,
        act: &Act,
    ) -> Result<Vec<Difference>, AppError> {
        let (Some(id), Some(order)) = (found.payment, found.order) else {
            return Ok(Vec::new());
        };
        let known = {
            let mut conn = self.db.acquire().await?;
            payments::of_orders(&mut conn, &[order]).await?
        };
        let ours = known.iter().find(|known| known.id == id);
        if ours.is_some_and(|ours| is_settled(ours, &theirs)) {
            return Ok(Vec::new());
        }
        let mut differences = match ours {
            Some(_) => Vec::new(),
            None => self.clear_the_way(&known, act).await?,
        };
        let mut ours = Ours {
            id,
            order,
            found,
            theirs,
            ends_order: true,
        };
        let mut taken = self.take(&ours, act).await?;
        differences.append(&mut taken.differences);
        for _ in 1..LOOKS {
            if taken.agrees {
                return Ok(differences);
            }
            tokio::time::sleep(PAUSE).await;
            let again = self.provider.look_up(&ours.found.intent.reference).await;
            let again = self.with_their_refunds(again.map_err(not_known)?).await?;
            (ours.found, ours.theirs) = again;
            taken = self.take(&ours, act).await?;
            differences.append(&mut taken.differences);
        }
        if !taken.agrees {
            let message = "the books still differ";
            differences.push(unsettled(&taken.payment, message));
        }
        Ok(differences)
    }

    /// A payment that we do not know may follow one that is live in our books
    /// and has ended there: that one comes first.
    async fn clear_the_way(
        &self,
        known: &[Payment],
        act: &Act,
    ) -> Result<Vec<Difference>, AppError> {
        let mut differences = Vec::new();
        for live in known.iter().filter(|known| !known.state.is_dead()) {
            let Some(reference) = &live.provider_reference else {
                continue;
            };
            let found = self.provider.look_up(reference).await.map_err(not_known)?;
            let (found, theirs) = self.with_their_refunds(found).await?;
            let ours = Ours {
                id: live.id,
                order: live.order_id,
                found,
                theirs,
                ends_order: false,
            };
            differences.extend(self.take(&ours, act).await?.differences);
        }
        Ok(differences)
    }

    async fn take(&self, ours: &Ours, act: &Act) -> Result<Taken, AppError> {
        let run = || async {
            let mut tx = self.db.begin().await?;
            let taken = take_over(&mut tx, ours, act, &self.policy).await?;
            tx.commit().await?;
            Ok::<_, AppError>(taken)
        };
        let mut taken = self.db.retry(run).await?;
        self.settling.tell(std::mem::take(&mut taken.news));
        for difference in &taken.differences {
            tracing::warn!(
                payment.id = %difference.payment,
                order.id = %difference.order,
                difference = difference.kind.name(),
                "the provider knew what our books did not"
            );
        }
        Ok(taken)
    }
}

/// Nothing is under way, and both have the same: most are like that.
fn is_settled(ours: &Payment, theirs: &Theirs) -> bool {
    let is_under_way = ours.state.is_open()
        || ours.void_requested && !ours.state.is_dead()
        || ours.capture_pending_minor > 0
        || ours.refund_pending_minor > 0;
    !is_under_way && run_audit::agree(&run_audit::book(ours), std::slice::from_ref(theirs))
}

impl News {
    pub(super) fn add(&mut self, news: News) {
        self.has_events |= news.has_events;
        self.is_due |= news.is_due;
        self.counts.extend(news.counts);
    }
}

/// Only takes the key: what is done is settled payment by payment.
struct ReconcileProvider;

#[derive(Debug)]
struct Begun(Uuid);

impl Answer for Begun {
    fn saved(&self) -> Saved {
        // Never asked for: such work is started, not finished.
        Saved {
            code: 0,
            body: Vec::new(),
        }
    }
}

impl Verb for ReconcileProvider {
    type Input = ();
    type Output = Begun;
    type Error = AppError;

    async fn act(&self, _: &mut Connection, inputs: &[&()]) -> Result<Vec<Acted<Self>>, AppError> {
        let begin = |_| {
            let resource = Uuid::now_v7();
            let output = Begun(resource);
            Ok(Effect::Started { output, resource })
        };
        Ok(inputs.iter().map(begin).collect())
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}
