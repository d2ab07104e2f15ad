//! The table `order_events`: append-only, 1, 2, 3, … per order.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::Connection;
use types::OrderId;
use uuid::Uuid;

use super::rows::known;
use crate::domain::{Event, NewEvent, State, StateReason};

pub async fn insert(conn: &mut Connection, events: &[NewEvent]) -> database::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let each = || events.iter();
    sqlx::query(
        "insert into order_events (
             order_id, sequence, kind, from_state, to_state, reason_code, reason_message,
             actor, traceparent)
         select order_id, sequence, kind, from_state, to_state, reason_code, reason_message,
                actor, traceparent
         from unnest($1::uuid[], $2::bigint[], $3::text[], $4::smallint[], $5::smallint[],
                     $6::text[], $7::text[], $8::text[], $9::text[])
              as fresh (order_id, sequence, kind, from_state, to_state, reason_code,
                        reason_message, actor, traceparent)",
    )
    .bind(each().map(|e| e.order_id.as_uuid()).collect::<Vec<_>>())
    .bind(each().map(|e| e.sequence).collect::<Vec<_>>())
    .bind(each().map(|e| e.kind.name()).collect::<Vec<_>>())
    .bind(
        each()
            .map(|e| e.from.map(State::number))
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|e| e.to.number()).collect::<Vec<_>>())
    .bind(each().map(|e| e.reason.code.as_str()).collect::<Vec<_>>())
    .bind(
        each()
            .map(|e| e.reason.message.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(each().map(|e| e.actor.as_str()).collect::<Vec<_>>())
    .bind(each().map(|e| e.traceparent.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The traces in which these orders were placed, as far as they are known.
pub async fn origins(
    conn: &mut Connection,
    orders: &[OrderId],
) -> database::Result<HashMap<OrderId, String>> {
    let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select order_id, traceparent
         from order_events
         where order_id = any($1)
           and sequence = 1
           and traceparent is not null",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let origins = rows.into_iter();
    Ok(origins
        .map(|(id, traceparent)| (OrderId::from_uuid(id), traceparent))
        .collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    order_id: Uuid,
    sequence: i64,
    kind: String,
    from_state: Option<i16>,
    to_state: i16,
    reason_code: String,
    reason_message: String,
    actor: String,
    traceparent: Option<String>,
    at: DateTime<Utc>,
}

/// The events of an order after a sequence, oldest first.
pub async fn list_after(
    conn: &mut Connection,
    order: OrderId,
    after: i64,
    limit: i64,
) -> database::Result<Vec<Event>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select order_id, sequence, kind, from_state, to_state, reason_code, reason_message,
                actor, traceparent, at
         from order_events
         where order_id = $1
           and sequence > $2
         order by sequence
         limit $3",
    )
    .bind(order.as_uuid())
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::event).collect()
}

impl Row {
    fn event(self) -> database::Result<Event> {
        Ok(Event {
            order_id: OrderId::from_uuid(self.order_id),
            sequence: self.sequence,
            kind: self.kind,
            from: self.from_state.and_then(State::from_number),
            to: known(State::from_number(self.to_state), "to_state")?,
            reason: StateReason::new(self.reason_code, self.reason_message),
            actor: self.actor,
            traceparent: self.traceparent,
            at: self.at,
        })
    }
}
