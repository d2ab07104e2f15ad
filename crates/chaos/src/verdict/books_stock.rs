//! The inventory service's books, as its tables have them.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::books_orders::grouped;
use super::site::Site;

pub const HELD: i16 = 1;
pub const COMMITTED: i16 = 2;
pub const FULFILLED: i16 = 3;
pub const EXPIRED: i16 = 4;
pub const RELEASED: i16 = 5;
pub const TOMBSTONE: i16 = 6;

pub const ADJUST: i16 = 2;

pub fn state_name(state: i16) -> &'static str {
    match state {
        HELD => "HELD",
        COMMITTED => "COMMITTED",
        FULFILLED => "FULFILLED",
        EXPIRED => "EXPIRED",
        RELEASED => "RELEASED",
        TOMBSTONE => "TOMBSTONE",
        _ => "a state that there is not",
    }
}

#[derive(Debug, Clone, FromRow)]
pub struct LevelRow {
    pub sku: String,
    pub location_id: String,
    pub on_hand: i64,
    pub held: i64,
    pub committed: i64,
    pub backorder_limit: i64,
}

#[derive(Debug, Clone, FromRow)]
pub struct MovementRow {
    pub sequence: i64,
    pub sku: String,
    pub location_id: String,
    pub kind: i16,
    pub delta: i64,
    pub on_hand_after: i64,
    pub reason: String,
}

#[derive(Debug, Clone, FromRow)]
pub struct ReservationRow {
    pub order_id: String,
    pub state: i16,
    pub events: i64,
    pub overdue_s: Option<f64>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, FromRow)]
pub struct ReservedRow {
    order_id: String,
    pub sku: String,
    pub location_id: String,
    pub quantity: i64,
    pub fulfilled: i64,
    pub returned: i64,
}

#[derive(Debug, Default)]
pub struct Stock {
    pub levels: Vec<LevelRow>,
    /// In the order in which they happened.
    pub movements: Vec<MovementRow>,
    pub reservations: BTreeMap<String, ReservationRow>,
    reserved: HashMap<String, Vec<ReservedRow>>,
}

impl Stock {
    pub async fn read(site: &Site) -> Result<Self> {
        let mut conn = site.snapshot("inventory").await?;
        let levels = sqlx::query_as(
            "select sku, location_id, on_hand, held, committed, backorder_limit
             from stock_levels",
        )
        .fetch_all(&mut conn)
        .await?;
        let movements = sqlx::query_as(
            "select sequence, sku, location_id, kind, delta, on_hand_after, reason
             from stock_movements
             order by sequence",
        )
        .fetch_all(&mut conn)
        .await?;
        let reservations: Vec<ReservationRow> = sqlx::query_as(
            "select order_id::text, state, events, created_at,
                    extract(epoch from clock_timestamp() - expires_at)::float8 as overdue_s
             from reservations",
        )
        .fetch_all(&mut conn)
        .await?;
        let reserved: Vec<ReservedRow> = sqlx::query_as(
            "select order_id::text, sku, location_id, quantity, fulfilled, returned
             from reservation_lines
             order by order_id, sku, location_id",
        )
        .fetch_all(&mut conn)
        .await?;
        let reservations = reservations.into_iter();
        Ok(Self {
            levels,
            movements,
            reservations: reservations
                .map(|row| (row.order_id.clone(), row))
                .collect(),
            reserved: grouped(reserved.into_iter().map(|row| (row.order_id.clone(), row))),
        })
    }

    pub fn reserved(&self, order: &str) -> &[ReservedRow] {
        self.reserved.get(order).map_or(&[], Vec::as_slice)
    }
}
