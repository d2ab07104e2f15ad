//! How a row of `orders` becomes an order.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use types::{Currency, CustomerId, Money, OrderId, PaymentId, Quantity, Sku};
use uuid::Uuid;

use crate::domain::{
    CaptureMethod, Effect, Line, Order, Refusal, Saga, State, StateReason, Target,
};

/// Every column that [`OrderRow`] reads.
macro_rules! order_columns {
    () => {
        "id, customer_id, reference, currency, payment_method, capture_method,
         expected_total_minor, state, reason_code, reason_message, total_minor,
         captured_minor, refunded_minor, refund_pending_minor, payment_id,
         action_url, sequence, stock, payment, capture, payment_attempt, target,
         stopped_in, refusal, epoch, lease_until, next_run_at, tries, last_error,
         created_at, updated_at,
         coalesce(action_deadline < now(), false) as action_overdue,
         (extract(epoch from now() - began_at) * 1000)::bigint as age_ms"
    };
}
pub(super) use order_columns;

/// The lines of an order in the same statement, so that both are of one
/// moment. Not for statements that lock: there the lines are read under the
/// lock, in a statement of their own.
macro_rules! order_lines_column {
    () => {
        "(select coalesce(json_agg(
                     json_build_array(number, sku, quantity, unit_price_minor, fulfilled, returned)
                     order by number), '[]')
          from order_lines where order_id = orders.id) as lines"
    };
}
pub(super) use order_lines_column;

/// number, sku, quantity, unit_price_minor, fulfilled, returned
type LineColumns = (i32, String, i64, Option<i64>, i64, i64);

#[derive(sqlx::FromRow)]
pub(super) struct WholeOrderRow {
    #[sqlx(flatten)]
    order: OrderRow,
    lines: Json<Vec<LineColumns>>,
}

impl WholeOrderRow {
    pub(super) fn order(self) -> database::Result<Order> {
        let mut order = self.order.order()?;
        let Json(lines) = self.lines;
        for (number, sku, quantity, unit_price_minor, fulfilled, returned) in lines {
            order.lines.push(Line {
                number,
                sku: known(Sku::parse(&sku).ok(), "sku")?,
                quantity: known(Quantity::try_from(quantity).ok(), "quantity")?,
                unit_price: unit_price_minor.map(|minor| Money::new(minor, order.currency)),
                fulfilled,
                returned,
            });
        }
        Ok(order)
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    id: Uuid,
    customer_id: String,
    reference: String,
    currency: String,
    payment_method: String,
    capture_method: i16,
    expected_total_minor: Option<i64>,
    state: i16,
    reason_code: String,
    reason_message: String,
    total_minor: Option<i64>,
    captured_minor: i64,
    refunded_minor: i64,
    refund_pending_minor: i64,
    payment_id: Option<Uuid>,
    action_url: String,
    sequence: i64,
    stock: i16,
    payment: i16,
    capture: i16,
    payment_attempt: i16,
    target: Option<i16>,
    stopped_in: Option<i16>,
    refusal: Option<Json<Refusal>>,
    epoch: i64,
    lease_until: Option<DateTime<Utc>>,
    next_run_at: Option<DateTime<Utc>>,
    tries: i32,
    last_error: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(super) action_overdue: bool,
    pub(super) age_ms: i64,
}

/// A stored value that no constraint should have let in.
pub(super) fn corrupt(what: &'static str) -> database::Error {
    sqlx::Error::Decode(what.into()).into()
}

pub(super) fn known<T>(value: Option<T>, what: &'static str) -> database::Result<T> {
    value.ok_or_else(|| corrupt(what))
}

impl OrderRow {
    /// The order, still without its lines.
    pub(super) fn order(self) -> database::Result<Order> {
        let currency = known(Currency::parse(&self.currency).ok(), "currency")?;
        let saga = self.saga()?;
        Ok(Order {
            id: OrderId::from_uuid(self.id),
            customer_id: known(CustomerId::parse(&self.customer_id).ok(), "customer_id")?,
            reference: self.reference,
            currency,
            lines: Vec::new(),
            payment_method: self.payment_method,
            capture_method: known(
                CaptureMethod::from_number(self.capture_method),
                "capture_method",
            )?,
            expected_total: self
                .expected_total_minor
                .map(|minor| Money::new(minor, currency)),
            state: known(State::from_number(self.state), "state")?,
            reason: StateReason::new(self.reason_code, self.reason_message),
            total: self.total_minor.map(|minor| Money::new(minor, currency)),
            captured_minor: self.captured_minor,
            refunded_minor: self.refunded_minor,
            refund_pending_minor: self.refund_pending_minor,
            payment_id: self.payment_id.map(PaymentId::from_uuid),
            action_url: self.action_url,
            sequence: self.sequence,
            created_at: self.created_at,
            updated_at: self.updated_at,
            saga,
        })
    }

    fn saga(&self) -> database::Result<Saga> {
        let effect = |number, what| known(Effect::from_number(number), what);
        let state = |number: Option<i16>| number.and_then(State::from_number);
        Ok(Saga {
            stock: effect(self.stock, "stock")?,
            payment: effect(self.payment, "payment")?,
            capture: effect(self.capture, "capture")?,
            attempt: self.payment_attempt,
            target: state(self.target).and_then(Target::from_state),
            stopped_in: state(self.stopped_in),
            refusal: self.refusal.clone().map(|Json(refusal)| refusal),
            epoch: self.epoch,
            tries: self.tries,
            last_error: self.last_error.clone(),
            next_run_at: self.next_run_at,
            lease_until: self.lease_until,
        })
    }
}
