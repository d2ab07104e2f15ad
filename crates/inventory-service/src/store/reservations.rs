//! The table `reservations`. Rows carry no lines: those are read and written
//! by [`reservation_lines`](super::reservation_lines).

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{OrderId, Sku};
use uuid::Uuid;

use super::{codes, rows};
use crate::domain::{Reservation, State, StateName};

#[derive(sqlx::FromRow)]
struct Row {
    order_id: Uuid,
    state: i16,
    expires_at: Option<DateTime<Utc>>,
    fingerprint: Option<Vec<u8>>,
    reason: String,
    version: i64,
    events: i64,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Reservation {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let fingerprint = row.fingerprint.map(<[u8; 32]>::try_from).transpose();
        Ok(Self {
            order_id: OrderId::from_uuid(row.order_id),
            state: rows::known(state(row.state, row.expires_at), "state")?,
            fingerprint: rows::known(fingerprint.ok(), "fingerprint")?,
            lines: Vec::new(),
            reason: row.reason,
            version: row.version,
            events: row.events,
            created_at: row.created_at,
        })
    }
}

fn state(code: i16, expires_at: Option<DateTime<Utc>>) -> Option<State> {
    if let Some(expires_at) = expires_at {
        return (code == codes::HELD).then_some(State::Held { expires_at });
    }
    [
        State::Committed,
        State::Fulfilled,
        State::Expired,
        State::Released,
        State::Tombstone,
    ]
    .into_iter()
    .find(|state| codes::state(state.name()) == code)
}

fn expires_at(reservation: &Reservation) -> Option<DateTime<Utc>> {
    match reservation.state {
        State::Held { expires_at } => Some(expires_at),
        _ => None,
    }
}

fn reservations(found: Vec<Row>) -> Result<Vec<Reservation>> {
    let reservations = found.into_iter().map(Reservation::try_from);
    Ok(reservations.collect::<sqlx::Result<_>>()?)
}

/// Locks those that exist.
pub async fn lock(conn: &mut Connection, orders: &[Uuid]) -> Result<Vec<Reservation>> {
    let found = sqlx::query_as(
        "select order_id, state, expires_at, fingerprint, reason, version, events, created_at
         from reservations
         where order_id = any($1)
         order by order_id
         for update",
    )
    .bind(orders)
    .fetch_all(conn)
    .await?;
    reservations(found)
}

macro_rules! lock_where {
    ($overdue:literal) => {
        concat!(
            "select order_id, state, expires_at, fingerprint, reason, version, events, created_at
             from reservations
             where ",
            $overdue,
            " order by expires_at
             limit $1
             for update skip locked"
        )
    };
}

/// Locks overdue holds that nobody else works on, the oldest first.
pub async fn lock_overdue(conn: &mut Connection, limit: i64) -> Result<Vec<Reservation>> {
    let found = sqlx::query_as(match failpoint::planted!("expiry-ignores-commit") {
        true => lock_where!("state in (1, 2) and created_at <= now() - interval '5 s'"),
        false => lock_where!("state = 1 and expires_at <= now()"),
    })
    .bind(limit)
    .fetch_all(conn)
    .await?;
    reservations(found)
}

/// Orders with overdue holds of any of `skus`. Goes from the holds, which are
/// few since the sweeper runs, to their lines; the lines of a SKU are many.
pub async fn overdue_of(conn: &mut Connection, skus: &[&str]) -> Result<Vec<Uuid>> {
    let found = sqlx::query_scalar(
        "with overdue as materialized (
             select order_id
             from reservations
             where state = 1
               and expires_at <= now()
         )
         select order_id
         from overdue
         where exists (
             select
             from reservation_lines as line
             where line.order_id = overdue.order_id
               and line.sku = any($1)
         )",
    )
    .bind(skus)
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Orders that are promised units of any of these levels.
pub async fn promised_at(
    conn: &mut Connection,
    skus: &[&str],
    locations: &[&str],
) -> Result<Vec<Uuid>> {
    let found = sqlx::query_scalar(
        "select distinct line.order_id
         from unnest($1::text[], $2::text[]) as wanted (sku, location_id)
         join reservation_lines as line using (sku, location_id)
         join reservations as reservation using (order_id)
         where reservation.state in (1, 2)
           and line.fulfilled < line.quantity",
    )
    .bind(skus)
    .bind(locations)
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Gives the number written: fewer than asked for means that another
/// transaction has made one of them meanwhile.
pub async fn insert(conn: &mut Connection, new: &[&Reservation]) -> Result<u64> {
    let inserted = sqlx::query(
        "insert into reservations
             (order_id, state, expires_at, fingerprint, reason, version, created_at)
         select *
         from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::bytea[], $5::text[], $6::bigint[], $7::timestamptz[])
              as fresh (order_id, state, expires_at, fingerprint, reason, version, created_at)
         order by order_id
         on conflict do nothing",
    )
    .bind(new.iter().map(|one| one.order_id.as_uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| codes::state(one.state.name())).collect::<Vec<_>>())
    .bind(new.iter().map(|one| expires_at(one)).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.fingerprint.as_ref().map(|hash| hash.as_slice())).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.version).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.created_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected())
}

/// Writes reservations that this transaction has locked.
pub async fn update(conn: &mut Connection, changed: &[&Reservation]) -> Result<u64> {
    let updated = sqlx::query(
        "update reservations as reservation
         set state = new.state,
             expires_at = new.expires_at,
             reason = new.reason,
             version = new.version,
             events = new.events
         from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[])
              as new (order_id, state, expires_at, reason, version, events)
         where reservation.order_id = new.order_id",
    )
    .bind(changed.iter().map(|one| one.order_id.as_uuid()).collect::<Vec<_>>())
    .bind(changed.iter().map(|one| codes::state(one.state.name())).collect::<Vec<_>>())
    .bind(changed.iter().map(|one| expires_at(one)).collect::<Vec<_>>())
    .bind(changed.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>())
    .bind(changed.iter().map(|one| one.version).collect::<Vec<_>>())
    .bind(changed.iter().map(|one| one.events).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(updated.rows_affected())
}

pub async fn get(conn: &mut Connection, order_id: OrderId) -> Result<Option<Reservation>> {
    let found: Option<Row> = sqlx::query_as(
        "select order_id, state, expires_at, fingerprint, reason, version, events, created_at
         from reservations
         where order_id = $1",
    )
    .bind(order_id.as_uuid())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(Reservation::try_from).transpose()?)
}

/// What a page of reservations is of.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<StateName>,
    pub sku: Option<Sku>,
}

/// The newest first, before the one that `before` names.
pub async fn page(
    conn: &mut Connection,
    filter: &Filter,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Reservation>> {
    let (created_at, order_id) = before.unzip();
    let found = sqlx::query_as(
        "select order_id, state, expires_at, fingerprint, reason, version, events, created_at
         from reservations
         where ($1::timestamptz is null or (created_at, order_id) < ($1, $2))
           and ($3::smallint is null or state = $3)
           and ($4::text is null or exists (
                   select
                   from reservation_lines as line
                   where line.order_id = reservations.order_id
                     and line.sku = $4
               ))
         order by created_at desc, order_id desc
         limit $5",
    )
    .bind(created_at)
    .bind(order_id)
    .bind(filter.state.map(codes::state))
    .bind(filter.sku.as_ref().map(Sku::as_str))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    reservations(found)
}
