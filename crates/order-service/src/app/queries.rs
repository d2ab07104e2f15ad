//! Reads.

use chrono::{DateTime, Utc};
use types::OrderId;
use uuid::Uuid;

use super::{App, Error};
use crate::domain::{Event, Order, Reach, Work, WorkKind};
use crate::store::orders::Filter;
use crate::store::{order_events, order_works, orders, sagas};

/// More than any order gets; a limit all the same.
const EVENTS_MAX: i64 = 10_000;
const WORKS_MAX: i64 = 10_000;

/// A place in a list.
pub type Place = Option<(DateTime<Utc>, Uuid)>;

/// Everything that happened to an order.
#[derive(Debug)]
pub struct Timeline {
    pub order: Order,
    pub events: Vec<Event>,
    pub fulfillments: Vec<Work>,
    pub returns: Vec<Work>,
}

impl App {
    pub async fn get_order(&self, id: OrderId, reach: &Reach) -> Result<Order, Error> {
        let found = self.get_orders(&[id], reach).await?.pop();
        found.ok_or_else(|| Error::no_order(id))
    }

    pub async fn get_orders(&self, ids: &[OrderId], reach: &Reach) -> Result<Vec<Order>, Error> {
        let mut conn = self.0.db.acquire().await?;
        Ok(orders::get(&mut conn, ids, reach).await?)
    }

    pub async fn list_orders(
        &self,
        filter: &Filter,
        after: Place,
        limit: i64,
    ) -> Result<Vec<Order>, Error> {
        let mut conn = self.0.db.acquire().await?;
        Ok(orders::list(&mut conn, filter, after, limit).await?)
    }

    pub async fn list_sagas(
        &self,
        needs_attention: bool,
        after: Place,
        limit: i64,
    ) -> Result<Vec<Order>, Error> {
        let mut conn = self.0.db.acquire().await?;
        Ok(sagas::list(&mut conn, needs_attention, after, limit).await?)
    }

    /// Who did what, newest first, older than the entry `before`.
    pub async fn list_audit_entries(
        &self,
        filter: &audit::Filter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<audit::Recorded>, Error> {
        let mut conn = self.0.db.acquire().await?;
        Ok(audit::list(&mut conn, filter, before, limit).await?)
    }

    pub async fn list_fulfillments(
        &self,
        order: OrderId,
        reach: &Reach,
        after: Place,
        limit: i64,
    ) -> Result<Vec<Work>, Error> {
        self.get_order(order, reach).await?;
        let mut conn = self.0.db.acquire().await?;
        let kind = WorkKind::Fulfillment;
        Ok(order_works::list(&mut conn, order, kind, after, limit).await?)
    }

    pub async fn events_after(
        &self,
        order: OrderId,
        sequence: i64,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        let mut conn = self.0.db.acquire().await?;
        Ok(order_events::list_after(&mut conn, order, sequence, limit).await?)
    }

    pub async fn timeline(&self, id: OrderId, reach: &Reach) -> Result<Timeline, Error> {
        // Read before the rest, so that nothing the order shows lacks its event.
        let order = self.get_order(id, reach).await?;
        let mut conn = self.0.db.acquire().await?;
        let mut works = Vec::with_capacity(2);
        for kind in [WorkKind::Fulfillment, WorkKind::Return] {
            works.push(order_works::list(&mut conn, id, kind, None, WORKS_MAX).await?);
        }
        Ok(Timeline {
            order,
            events: order_events::list_after(&mut conn, id, 0, EVENTS_MAX).await?,
            returns: works.pop().unwrap_or_default(),
            fulfillments: works.pop().unwrap_or_default(),
        })
    }
}
