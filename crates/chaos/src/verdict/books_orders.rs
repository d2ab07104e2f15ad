//! The order service's books, as its tables have them.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::site::Site;

pub const PENDING: i16 = 1;
pub const AWAITING_ACTION: i16 = 2;
pub const CONFIRMED: i16 = 3;
pub const PARTIALLY_FULFILLED: i16 = 4;
pub const FULFILLED: i16 = 5;
pub const COMPENSATING: i16 = 6;
pub const CANCELLED: i16 = 7;
pub const REJECTED: i16 = 8;
pub const NEEDS_ATTENTION: i16 = 9;

pub const SHIPMENT: i16 = 1;
pub const RETURN: i16 = 2;
pub const REFUND: i16 = 3;

pub const RUNNING: i16 = 2;
pub const DONE: i16 = 3;
pub const FAILED: i16 = 4;

pub fn state_name(state: i16) -> &'static str {
    match state {
        PENDING => "PENDING",
        AWAITING_ACTION => "AWAITING_PAYMENT_ACTION",
        CONFIRMED => "CONFIRMED",
        PARTIALLY_FULFILLED => "PARTIALLY_FULFILLED",
        FULFILLED => "FULFILLED",
        COMPENSATING => "COMPENSATING",
        CANCELLED => "CANCELLED",
        REJECTED => "REJECTED",
        NEEDS_ATTENTION => "NEEDS_ATTENTION",
        _ => "a state that there is not",
    }
}

#[derive(Debug, Clone, FromRow)]
pub struct OrderRow {
    pub id: String,
    pub customer_id: String,
    pub reference: String,
    pub currency: String,
    pub payment_method: String,
    pub capture_method: i16,
    pub state: i16,
    pub reason_code: String,
    pub total_minor: Option<i64>,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub refund_pending_minor: i64,
    pub is_due: bool,
    pub idle_s: f64,
    pub tries: i32,
    pub last_error: String,
}

#[derive(Debug, Clone, FromRow)]
pub struct LineRow {
    order_id: String,
    pub number: i32,
    pub sku: String,
    pub quantity: i64,
    pub unit_price_minor: Option<i64>,
    pub fulfilled: i64,
    pub returned: i64,
}

#[derive(Debug, Clone, FromRow)]
pub struct WorkRow {
    pub id: String,
    pub order_id: String,
    pub kind: i16,
    pub state: i16,
    pub restock: bool,
    pub amount_minor: Option<i64>,
    pub failure: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, FromRow)]
pub struct EventRow {
    order_id: String,
    pub sequence: i64,
    pub kind: String,
    pub from_state: Option<i16>,
    pub to_state: i16,
    pub reason_code: String,
    pub actor: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub struct Orders {
    pub orders: BTreeMap<String, OrderRow>,
    lines: HashMap<String, Vec<LineRow>>,
    pub works: BTreeMap<String, WorkRow>,
    work_lines: HashMap<String, Vec<(i32, i64)>>,
    events: HashMap<String, Vec<EventRow>>,
}

impl Orders {
    pub async fn read(site: &Site) -> Result<Self> {
        let mut conn = site.snapshot("orders").await?;
        let orders: Vec<OrderRow> = sqlx::query_as(
            "select id::text, customer_id, reference, currency, payment_method, capture_method,
                    state, reason_code, total_minor, captured_minor, refunded_minor,
                    refund_pending_minor, next_run_at is not null as is_due,
                    extract(epoch from clock_timestamp() - (
                        select max(at) from order_events where order_id = orders.id
                    ))::float8 as idle_s,
                    tries, last_error
             from orders",
        )
        .fetch_all(&mut conn)
        .await?;
        let lines: Vec<LineRow> = sqlx::query_as(
            "select order_id::text, number, sku, quantity, unit_price_minor, fulfilled, returned
             from order_lines
             order by order_id, number",
        )
        .fetch_all(&mut conn)
        .await?;
        let works: Vec<WorkRow> = sqlx::query_as(
            "select id::text, order_id::text, kind, state, restock, amount_minor, failure,
                    created_at, updated_at
             from order_works",
        )
        .fetch_all(&mut conn)
        .await?;
        let work_lines: Vec<(String, i32, i64)> = sqlx::query_as(
            "select work_id::text, line_number, quantity
             from order_work_lines
             order by work_id, line_number",
        )
        .fetch_all(&mut conn)
        .await?;
        let events: Vec<EventRow> = sqlx::query_as(
            "select order_id::text, sequence, kind, from_state, to_state, reason_code, actor, at
             from order_events
             order by order_id, sequence",
        )
        .fetch_all(&mut conn)
        .await?;
        let work_lines = work_lines
            .into_iter()
            .map(|(work, line, units)| (work, (line, units)));
        Ok(Self {
            orders: orders
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
            lines: grouped(lines.into_iter().map(|row| (row.order_id.clone(), row))),
            works: works.into_iter().map(|row| (row.id.clone(), row)).collect(),
            work_lines: grouped(work_lines),
            events: grouped(events.into_iter().map(|row| (row.order_id.clone(), row))),
        })
    }

    pub fn lines(&self, order: &str) -> &[LineRow] {
        self.lines.get(order).map_or(&[], Vec::as_slice)
    }

    /// In order of their sequence.
    pub fn events(&self, order: &str) -> &[EventRow] {
        self.events.get(order).map_or(&[], Vec::as_slice)
    }

    /// Units by line number.
    pub fn work_lines(&self, work: &str) -> &[(i32, i64)] {
        self.work_lines.get(work).map_or(&[], Vec::as_slice)
    }

    /// Units by SKU of a work.
    pub fn work_units(&self, work: &WorkRow) -> Vec<(&str, i64)> {
        let lines = self.lines(&work.order_id);
        let units = self
            .work_lines(&work.id)
            .iter()
            .filter_map(|(number, units)| {
                let line = lines.iter().find(|line| line.number == *number)?;
                Some((line.sku.as_str(), *units))
            });
        units.collect()
    }
}

#[cfg(test)]
impl EventRow {
    pub fn for_test(kind: &str, to_state: i16, at: DateTime<Utc>) -> Self {
        Self {
            order_id: "o".to_owned(),
            sequence: 1,
            kind: kind.to_owned(),
            from_state: None,
            to_state,
            reason_code: String::new(),
            actor: String::new(),
            at,
        }
    }
}

impl OrderRow {
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, CONFIRMED | PARTIALLY_FULFILLED | FULFILLED)
    }

    /// It ended without a sale.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, CANCELLED | REJECTED)
    }
}

pub(super) fn grouped<T>(rows: impl Iterator<Item = (String, T)>) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}
