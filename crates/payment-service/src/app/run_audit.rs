//! `RunAudit`: counts what breaks an invariant. Changes nothing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use types::holds_card_number;
use uuid::Uuid;

use super::ask::not_known;
use super::{App, AppError};
use crate::domain::{Intent, Payment, State, TransferState};
use crate::provider::RefundFound;
use crate::store::audit::{self, Book, Broken};

const SAMPLES_MAX: usize = 10;
const PAGE: i64 = 1_000;
/// Questions to the provider at the same time.
const ASKED_AT_ONCE: usize = 16;
/// Books that differ are looked at again, so that work under way is not taken
/// for a difference.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);
/// How far the clocks of provider and database may be apart.
const CLOCKS_APART_S: i64 = 300;

/// The result of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: &'static str,
    pub description: &'static str,
    pub violations: i64,
    pub samples: Vec<String>,
}

impl Finding {
    fn of(invariant: &'static str, description: &'static str, broken: Broken) -> Finding {
        Finding {
            invariant,
            description,
            violations: broken.violations,
            samples: broken.samples,
        }
    }
}

impl App {
    /// `skip_provider` leaves out M4.
    pub async fn run_audit(&self, skip_provider: bool) -> Result<Vec<Finding>, AppError> {
        let mut findings = self.audit_own_books().await?;
        if !skip_provider {
            let place = findings.len().min(3);
            findings.insert(place, self.audit_provider().await?);
        }
        Ok(findings)
    }

    async fn audit_own_books(&self) -> Result<Vec<Finding>, AppError> {
        let mut conn = self.db.begin().await?;
        audit::freeze(&mut conn).await?;
        let numbers = audit::long_numbers(&mut conn).await?;
        let places = numbers.into_iter();
        let cards: Vec<String> = places
            .filter(|(_, content)| holds_card_number(content))
            .map(|(place, _)| place)
            .collect();
        Ok(vec![
            Finding::of(
                "M1",
                "captured and refunded amounts are within what was authorized and captured, \
                 and equal the sums of captures and refunds",
                audit::amounts(&mut conn).await?,
            ),
            Finding::of(
                "M2",
                "a payment that was voided, declined, expired or failed holds no money",
                audit::dead_without_money(&mut conn).await?,
            ),
            Finding::of(
                "M3",
                "the ledger balances and equals the payments",
                audit::ledger(&mut conn).await?,
            ),
            Finding::of(
                "M5",
                "an order has at most one live payment, and none once it was voided",
                audit::live_payments(&mut conn).await?,
            ),
            Finding::of("M6", "no card number is stored", all(cards)),
            Finding::of(
                "O6",
                "every event is published, in order and without gaps",
                audit::events(&mut conn).await?,
            ),
            Finding::of(
                "O8",
                "an answer is kept exactly where its effect is",
                audit::answers(&mut conn).await?,
            ),
        ])
    }

    async fn audit_provider(&self) -> Result<Finding, AppError> {
        let mut suspects = self.differing(None).await?;
        for _ in 1..LOOKS {
            if suspects.is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            suspects = self.differing(Some(&suspects)).await?;
        }
        let description = "our books equal the provider's books";
        let mut samples: Vec<String> = suspects.iter().map(Uuid::to_string).collect();
        samples.sort();
        Ok(Finding::of("M4", description, all(samples)))
    }

    /// The payments whose books differ, among `suspects` or among all.
    async fn differing(&self, suspects: Option<&HashSet<Uuid>>) -> Result<HashSet<Uuid>, AppError> {
        let is_suspect = |id: &Uuid| suspects.is_none_or(|suspects| suspects.contains(id));
        let theirs = self.their_books(&is_suspect).await?;
        let ours = self.our_books(suspects).await?;
        let mut differing: HashSet<Uuid> = ours
            .iter()
            .filter(|book| {
                let of_payment = theirs.get(&book.id).map_or(&[][..], Vec::as_slice);
                !agree(book, of_payment)
            })
            .map(|book| book.id)
            .collect();
        let known: HashSet<Uuid> = ours.iter().map(|book| book.id).collect();
        differing.extend(theirs.keys().filter(|id| !known.contains(*id)));
        Ok(differing)
    }

    async fn our_books(&self, suspects: Option<&HashSet<Uuid>>) -> Result<Vec<Book>, AppError> {
        let mut conn = self.db.acquire().await?;
        if let Some(suspects) = suspects {
            let ids: Vec<Uuid> = suspects.iter().copied().collect();
            return Ok(audit::books_by_id(&mut conn, &ids).await?);
        }
        let mut books: Vec<Book> = Vec::new();
        loop {
            let after = books.last().map_or(Uuid::nil(), |book| book.id);
            let page = audit::books(&mut conn, after, PAGE).await?;
            if page.is_empty() {
                return Ok(books);
            }
            books.extend(page);
        }
    }

    /// The provider's intents and refunds, by the payment they say they are for.
    async fn their_books(
        &self,
        is_suspect: &impl Fn(&Uuid) -> bool,
    ) -> Result<HashMap<Uuid, Vec<Theirs>>, AppError> {
        let first = {
            let mut conn = self.db.acquire().await?;
            audit::first_payment_at(&mut conn).await?
        };
        let from = first.map_or(0, |first| first.timestamp() - CLOCKS_APART_S);
        let mut intents = Vec::new();
        let mut after = None;
        loop {
            let page = self.provider.list(from, after.as_deref()).await;
            let page = page.map_err(not_known)?;
            let ours = page.items.into_iter();
            intents.extend(ours.filter_map(|found| Some((found.payment?.as_uuid(), found.intent))));
            match page.last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        let suspected = intents.into_iter().filter(|(id, _)| is_suspect(id));
        let with_refunds: Vec<(Uuid, Theirs)> =
            stream::iter(suspected)
                .map(|(id, intent)| async move {
                    Ok::<_, AppError>((id, self.with_refunds(intent).await?))
                })
                .buffer_unordered(ASKED_AT_ONCE)
                .try_collect()
                .await?;
        let mut theirs: HashMap<Uuid, Vec<Theirs>> = HashMap::new();
        for (id, intent) in with_refunds {
            theirs.entry(id).or_default().push(intent);
        }
        Ok(theirs)
    }

    /// An intent with its refunds.
    pub(super) async fn with_refunds(&self, intent: Intent) -> Result<Theirs, AppError> {
        let refunds = match intent.received_minor {
            0 => Vec::new(),
            _ => {
                let refunds = self.provider.refunds(&intent.reference).await;
                refunds.map_err(not_known)?
            }
        };
        let sum = |state| {
            let of_state = refunds.iter().filter(|refund| refund.state() == state);
            of_state.map(|refund| refund.amount).sum()
        };
        Ok(Theirs {
            refunded_minor: sum(TransferState::Succeeded),
            refund_pending_minor: sum(TransferState::Pending),
            refunds,
            intent,
        })
    }
}

/// An intent of the provider with its refunds.
pub(super) struct Theirs {
    intent: Intent,
    pub(super) refunds: Vec<RefundFound>,
    refunded_minor: i64,
    refund_pending_minor: i64,
}

/// A payment as it is compared.
pub(super) fn book(payment: &Payment) -> Book {
    Book {
        id: payment.id.as_uuid(),
        state: payment.state,
        provider_reference: payment.provider_reference.clone(),
        amount_minor: payment.amount_minor,
        captured_minor: payment.captured_minor,
        capture_pending_minor: payment.capture_pending_minor,
        refunded_minor: payment.refunded_minor,
        refund_pending_minor: payment.refund_pending_minor,
        void_requested: payment.void_requested,
        is_checked: false,
    }
}

/// What is pending on our side may or may not have been done there.
pub(super) fn agree(ours: &Book, theirs: &[Theirs]) -> bool {
    let [their] = theirs else {
        // None: it was refused there, or never arrived.
        let no_money = ours.state.is_dead() || ours.state.is_unknown();
        return theirs.is_empty() && no_money && ours.provider_reference.is_none();
    };
    let held_minor = match ours.state {
        State::Authorized | State::PartiallyCaptured => ours.amount_minor - ours.captured_minor,
        _ => 0,
    };
    let within = |value: i64, least: i64, pending: i64| (least..=least + pending).contains(&value);
    let is_open = ours.state.is_open()
        || ours.void_requested
        || ours.capture_pending_minor > 0
        || ours.is_checked;
    let reference_agrees = match &ours.provider_reference {
        Some(reference) => *reference == their.intent.reference,
        None => ours.state.is_unknown(),
    };
    reference_agrees
        && their.intent.amount.minor() == ours.amount_minor
        && within(
            their.intent.received_minor,
            ours.captured_minor,
            ours.capture_pending_minor,
        )
        && within(
            their.refunded_minor,
            ours.refunded_minor,
            ours.refund_pending_minor,
        )
        && their.refunded_minor + their.refund_pending_minor
            <= ours.refunded_minor + ours.refund_pending_minor
        && (is_open || their.intent.capturable_minor == held_minor)
}

fn all(mut samples: Vec<String>) -> Broken {
    let violations = i64::try_from(samples.len()).unwrap_or(i64::MAX);
    samples.truncate(SAMPLES_MAX);
    Broken {
        violations,
        samples,
    }
}
