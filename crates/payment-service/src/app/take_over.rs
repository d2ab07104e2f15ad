//! Makes one payment in our books what it is in the provider's: all of it in
//! one transaction, through the same transitions as everything else.

use database::Connection;
use types::{CaptureId, Money, OrderId, PaymentId, RefundId};

use super::books::settle;
use super::difference::{Act, Difference, Kind};
use super::run_audit::{self, Theirs};
use super::settle::{News, Report};
use super::{AppError, Policy};
use crate::domain::{
    Capture, Fact, Intent, IntentStatus, NextCheck, Payment, Refund, State, TransferState,
};
use crate::provider::Found;
use crate::store::payments::Saving;
use crate::store::{captures, order_tombstones, payments, refunds};

const REASON: &str = "made past these books";
const VOIDED: &str = "voided past these books";
const METHOD_UNKNOWN: &str = "unknown";

/// What a payment came to.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) differences: Vec<Difference>,
    /// Whether the books are equal now.
    pub(super) agrees: bool,
    pub(super) payment: Payment,
    pub(super) news: News,
}

/// A payment in the provider's books, which says that it is one of ours.
pub(super) struct Ours {
    pub(super) id: PaymentId,
    pub(super) order: OrderId,
    pub(super) found: Found,
    pub(super) theirs: Theirs,
    /// An order whose payment was cancelled there gets no other one. Not so
    /// where a later payment of the order is about to be taken over.
    pub(super) ends_order: bool,
}

/// The caller commits, and tells the news after that.
pub(super) async fn take_over(
    conn: &mut Connection,
    ours: &Ours,
    act: &Act,
    policy: &Policy,
) -> Result<Taken, AppError> {
    order_tombstones::lock_orders(conn, &[ours.order]).await?;
    let before = locked(conn, ours.id).await?;
    let mut work = Work {
        conn,
        ours,
        policy,
        differences: Vec::new(),
        news: News::default(),
    };
    if before.is_none() {
        work.adopt().await?;
    }
    work.take_captures().await?;
    work.report(vec![Fact::Seen(ours.found.intent.clone())])
        .await?;
    work.take_refunds().await?;
    let after = work.payment().await?;
    if let Some(before) = before {
        work.note_state(&before, &after).await?;
    }
    for difference in &mut work.differences {
        difference.order = after.order_id;
    }
    let agrees = run_audit::agree(&run_audit::book(&after), std::slice::from_ref(&ours.theirs));
    act.record(work.conn, &work.differences).await?;
    Ok(Taken {
        differences: work.differences,
        agrees,
        payment: after,
        news: work.news,
    })
}

struct Work<'a> {
    conn: &'a mut Connection,
    ours: &'a Ours,
    policy: &'a Policy,
    differences: Vec<Difference>,
    news: News,
}

impl Work<'_> {
    fn intent(&self) -> &Intent {
        &self.ours.found.intent
    }

    fn note(&mut self, kind: Kind, amount: Money) {
        self.differences.push(Difference {
            kind,
            payment: self.ours.id,
            order: self.ours.order,
            reference: self.intent().reference.clone(),
            amount,
            message: "",
        });
    }

    async fn payment(&mut self) -> Result<Payment, AppError> {
        let payment = locked(self.conn, self.ours.id).await?;
        payment.ok_or(AppError::Bug("a payment that was just written is gone"))
    }

    /// Facts that may be older than our books: then they change nothing.
    async fn report(&mut self, facts: Vec<Fact>) -> Result<(), AppError> {
        let reports = facts.into_iter();
        let reports: Vec<Report> = reports
            .map(|fact| Report::maybe_old(self.ours.id, fact))
            .collect();
        let (settled, news) = settle(self.conn, &reports, self.policy).await?;
        self.news.add(news);
        settled
            .into_iter()
            .try_for_each(|settled| settled.map(drop))
    }

    async fn adopt(&mut self) -> Result<(), AppError> {
        let known = payments::of_orders(self.conn, &[self.ours.order]).await?;
        let voided = order_tombstones::among(self.conn, &[self.ours.order]).await?;
        let is_taken = !voided.is_empty() || known.iter().any(|known| !known.state.is_dead());
        let payment = adopted(self.ours, &known, is_taken);
        payments::adopt(self.conn, &payment).await?;
        self.note(Kind::Payment, payment.amount());
        Ok(())
    }

    /// Money that was taken and that none of our captures speaks of.
    async fn take_captures(&mut self) -> Result<(), AppError> {
        let payment = self.payment().await?;
        let received_minor = self.intent().received_minor;
        let missing_minor = received_minor - payment.captured_minor - payment.capture_pending_minor;
        if missing_minor <= 0 {
            return Ok(());
        }
        let promised = Intent {
            status: IntentStatus::Authorized,
            received_minor: payment.captured_minor,
            ..self.intent().clone()
        };
        self.report(vec![Fact::Seen(promised)]).await?;
        let mut payment = self.payment().await?;
        let left_minor =
            payment.authorized_minor - payment.captured_minor - payment.capture_pending_minor;
        if !payment.state.is_capturable() || missing_minor > left_minor {
            return Ok(());
        }
        payment.capture_pending_minor += missing_minor;
        payment.version += 1;
        let capture = Capture {
            id: CaptureId::generate(),
            payment_id: payment.id,
            amount_minor: missing_minor,
            state: TransferState::Pending,
            last: self.intent().capturable_minor == 0,
            failure_code: None,
            created_at: payment.updated_at,
        };
        self.save(&payment).await?;
        captures::insert(self.conn, &[capture]).await?;
        self.note(Kind::Capture, payment.money(missing_minor));
        Ok(())
    }

    /// Money that was given back and that none of our refunds speaks of, and
    /// refunds that went on.
    async fn take_refunds(&mut self) -> Result<(), AppError> {
        let known = refunds::of_payments(self.conn, &[self.ours.id]).await?;
        let mut facts = Vec::new();
        for their in &self.ours.theirs.refunds {
            let same = |ours: &&Refund| {
                their.refund_id() == Some(ours.id)
                    || ours.provider_reference.as_deref() == Some(&their.id)
            };
            let id = match known.iter().find(same) {
                Some(ours) if ours.state == their.state() => continue,
                Some(ours) => ours.id,
                None if their.state() == TransferState::Failed => continue,
                None => match self.insert_refund(their.refund_id(), their.amount).await? {
                    Some(id) => id,
                    None => continue,
                },
            };
            facts.push(Fact::Refund(their.seen(id)));
        }
        match facts.is_empty() {
            true => Ok(()),
            false => self.report(facts).await,
        }
    }

    /// `None`: there is no money that it could give back.
    async fn insert_refund(
        &mut self,
        named: Option<RefundId>,
        amount_minor: i64,
    ) -> Result<Option<RefundId>, AppError> {
        let mut payment = self.payment().await?;
        let left_minor =
            payment.captured_minor - payment.refunded_minor - payment.refund_pending_minor;
        if amount_minor <= 0 || amount_minor > left_minor {
            return Ok(None);
        }
        payment.refund_pending_minor += amount_minor;
        payment.version += 1;
        let id = named.unwrap_or_else(RefundId::generate);
        let refund = Refund {
            id,
            payment_id: payment.id,
            order_id: payment.order_id,
            amount_minor,
            currency: payment.currency,
            state: TransferState::Pending,
            reason: REASON.to_owned(),
            provider_reference: None,
            failure_code: None,
            version: 1,
            created_at: payment.updated_at,
        };
        self.save(&payment).await?;
        refunds::insert(self.conn, &[refund]).await?;
        self.note(Kind::Refund, payment.money(amount_minor));
        Ok(Some(id))
    }

    async fn save(&mut self, payment: &Payment) -> Result<(), AppError> {
        let row = Saving {
            payment,
            next_check: NextCheck::Later,
        };
        Ok(payments::save(self.conn, &[row], self.policy.poll()).await?)
    }

    async fn note_state(&mut self, before: &Payment, after: &Payment) -> Result<(), AppError> {
        if before.state != after.state && self.differences.is_empty() {
            self.note(Kind::State, after.amount());
        }
        let is_voided = !before.state.is_dead() && after.state == State::Voided;
        if is_voided && self.ours.ends_order {
            let known = payments::of_orders(self.conn, &[after.order_id]).await?;
            if known.iter().all(|known| known.state.is_dead()) {
                order_tombstones::insert(self.conn, after.order_id, VOIDED).await?;
            }
        }
        Ok(())
    }
}

async fn locked(conn: &mut Connection, id: PaymentId) -> Result<Option<Payment>, AppError> {
    Ok(payments::lock(conn, &[id]).await?.payments.remove(&id))
}

/// The payment as it is first written. One that has ended without money is
/// written as it ended.
fn adopted(ours: &Ours, known: &[Payment], is_taken: bool) -> Payment {
    let intent = &ours.found.intent;
    let (state, code) = match &intent.status {
        IntentStatus::Canceled { expired: true } if intent.received_minor == 0 => {
            (State::Expired, None)
        }
        IntentStatus::Canceled { expired: false } if intent.received_minor == 0 => {
            (State::Voided, None)
        }
        IntentStatus::Declined { code } => (State::Declined, Some(code.clone())),
        _ => (State::Processing, None),
    };
    let has_place = !is_taken || state.is_dead();
    let attempts = known.iter().map(|known| known.attempt);
    Payment {
        id: ours.id,
        order_id: match has_place {
            true => ours.order,
            false => OrderId::from_uuid(ours.id.as_uuid()),
        },
        attempt: match has_place {
            true => attempts.max().unwrap_or(0) + 1,
            false => 1,
        },
        state,
        currency: intent.amount.currency(),
        amount_minor: intent.amount.minor(),
        authorized_minor: 0,
        captured_minor: 0,
        capture_pending_minor: 0,
        refunded_minor: 0,
        refund_pending_minor: 0,
        payment_method: match &ours.found.payment_method {
            Some(method) => method.clone(),
            None => METHOD_UNKNOWN.to_owned(),
        },
        provider_key: ours.id.to_string(),
        provider_reference: Some(intent.reference.clone()),
        action_url: None,
        decline_code: code,
        traceparent: None,
        void_requested: false,
        version: 1,
        event_count: 0,
        created_at: ours.found.created_at,
        updated_at: ours.found.created_at,
    }
}
