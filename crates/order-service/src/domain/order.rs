//! An order, its lines and its saga as they are stored.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use types::{Currency, CustomerId, Money, MoneyError, OrderId, PaymentId, Quantity, Sku};

use super::{Effect, Refusal, State, StateReason, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaptureMethod {
    Automatic = 1,
    Manual = 2,
}

impl CaptureMethod {
    pub fn number(self) -> i16 {
        self as i16
    }

    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Automatic, Self::Manual]
            .into_iter()
            .find(|method| method.number() == number)
    }
}

/// Where the money of an order stands; derived, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentState {
    None,
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    Voided,
}

/// An order as a client wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Made by us, before the first try to store it.
    pub id: OrderId,
    pub customer_id: CustomerId,
    pub reference: String,
    pub currency: Currency,
    pub lines: Vec<NewLine>,
    pub payment_method: String,
    pub capture_method: CaptureMethod,
    pub expected_total: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub sku: Sku,
    pub quantity: Quantity,
    /// `None`: the item's list price.
    pub unit_price: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: i32,
    pub sku: Sku,
    pub quantity: Quantity,
    pub unit_price: Option<Money>,
    pub fulfilled: i64,
    /// Announced to come back, or back.
    pub returned: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub customer_id: CustomerId,
    pub reference: String,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub payment_method: String,
    pub capture_method: CaptureMethod,
    pub expected_total: Option<Money>,
    pub state: State,
    pub reason: StateReason,
    /// `None` until every line has a price; never changes afterwards.
    pub total: Option<Money>,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    /// Refunds that run.
    pub refund_pending_minor: i64,
    pub payment_id: Option<PaymentId>,
    /// Where the customer has to go; empty: nowhere.
    pub action_url: String,
    /// That of the last event; also the version that the etag shows.
    pub sequence: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub saga: Saga,
}

/// What the reconciler knows of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saga {
    pub stock: Effect,
    pub payment: Effect,
    pub capture: Effect,
    /// 1 for the first attempt to be paid.
    pub attempt: i16,
    /// How it ends, while it is undone.
    pub target: Option<Target>,
    /// Where it stopped, while a person has to decide.
    pub stopped_in: Option<State>,
    /// What whoever placed the order is told in the end.
    pub refusal: Option<Refusal>,
    /// Raised by every claim and every command; an older one is fenced.
    pub epoch: i64,
    pub tries: i32,
    pub last_error: String,
    pub next_run_at: Option<DateTime<Utc>>,
    pub lease_until: Option<DateTime<Utc>>,
}

impl NewOrder {
    /// What the order costs, if every line brings its price.
    pub fn total(&self) -> Result<Option<Money>, MoneyError> {
        sum(
            self.currency,
            self.lines
                .iter()
                .map(|line| (line.unit_price, line.quantity)),
        )
    }

    /// The order as it is first stored: both effects count as begun, so that
    /// nothing need be written between asking for the one and the other.
    pub fn placed(&self, total: Option<Money>, now: DateTime<Utc>) -> Order {
        let lines = (1..).zip(&self.lines).map(|(number, line)| Line {
            number,
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            fulfilled: 0,
            returned: 0,
        });
        Order {
            id: self.id,
            customer_id: self.customer_id.clone(),
            reference: self.reference.clone(),
            currency: self.currency,
            lines: lines.collect(),
            payment_method: self.payment_method.clone(),
            capture_method: self.capture_method,
            expected_total: self.expected_total,
            state: State::Pending,
            reason: StateReason::default(),
            total,
            captured_minor: 0,
            refunded_minor: 0,
            refund_pending_minor: 0,
            payment_id: None,
            action_url: String::new(),
            sequence: 1,
            created_at: now,
            updated_at: now,
            saga: Saga::begun(now),
        }
    }
}

impl Saga {
    fn begun(now: DateTime<Utc>) -> Self {
        Self {
            stock: Effect::Begun,
            payment: Effect::Begun,
            capture: Effect::Absent,
            attempt: 1,
            target: None,
            stopped_in: None,
            refusal: None,
            epoch: 1,
            tries: 0,
            last_error: String::new(),
            next_run_at: Some(now),
            lease_until: None,
        }
    }
}

impl Order {
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// Captured, and neither paid back nor about to be.
    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.refund_pending_minor
    }

    pub fn is_free(&self) -> bool {
        self.total.is_some_and(Money::is_zero)
    }

    pub fn has_shipped(&self) -> bool {
        self.lines.iter().any(|line| line.fulfilled > 0)
    }

    pub fn line(&self, number: i32) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }

    pub fn payment_state(&self) -> PaymentState {
        match (self.captured_minor, self.refunded_minor) {
            (0, _) => match self.saga.payment {
                Effect::Done => PaymentState::Authorized,
                Effect::Undone if self.payment_id.is_some() => PaymentState::Voided,
                Effect::Absent | Effect::Begun | Effect::Undone => PaymentState::None,
            },
            (_, 0) => PaymentState::Captured,
            (captured, refunded) if refunded < captured => PaymentState::PartiallyRefunded,
            _ => PaymentState::Refunded,
        }
    }

    /// Sets the price of every line that has none and the total.
    ///
    /// # Errors
    /// The order cannot be had at these prices, or is not what was expected.
    pub fn price(&mut self, list: &[(Sku, Option<Money>)]) -> Result<(), Refusal> {
        let listed: HashMap<&Sku, Option<Money>> =
            list.iter().map(|(sku, price)| (sku, *price)).collect();
        for line in self
            .lines
            .iter_mut()
            .filter(|line| line.unit_price.is_none())
        {
            match listed.get(&line.sku) {
                Some(Some(price)) if price.currency() == self.currency => {
                    line.unit_price = Some(*price);
                }
                _ => return Err(price_missing(line, self.currency)),
            }
        }
        let total = sum(
            self.currency,
            self.lines
                .iter()
                .map(|line| (line.unit_price, line.quantity)),
        );
        match total {
            Ok(Some(total)) => self.accept(total),
            Ok(None) | Err(_) => Err(Refusal::new(
                "AMOUNT_OVERFLOW",
                "the total of the order leaves the range of 64 bits",
            )),
        }
    }

    fn accept(&mut self, total: Money) -> Result<(), Refusal> {
        match self.expected_total {
            Some(expected) if expected != total => Err(Refusal::new(
                "TOTAL_MISMATCH",
                format!("the order costs {total}, expected was {expected}"),
            )
            .with("total_minor", total.minor())
            .with("expected_minor", expected.minor())),
            _ => {
                self.total = Some(total);
                Ok(())
            }
        }
    }
}

fn price_missing(line: &Line, currency: Currency) -> Refusal {
    let message = format!("{} has no list price in {currency}", line.sku);
    Refusal::new("PRICE_MISSING", message)
        .with("sku", &line.sku)
        .with("line_number", line.number)
}

/// `None` when a line has no price.
fn sum(
    currency: Currency,
    lines: impl Iterator<Item = (Option<Money>, Quantity)>,
) -> Result<Option<Money>, MoneyError> {
    let mut total = Money::zero(currency);
    for (price, quantity) in lines {
        let Some(price) = price else {
            return Ok(None);
        };
        total = total.checked_add(price.checked_mul(quantity)?)?;
    }
    Ok(Some(total))
}
