//! Loads the part of the stock that a slice of calls touches, under locks, and
//! writes back what was changed in it. See the order of locks in [`super`].

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{LocationId, OrderId};
use uuid::Uuid;

use super::{
    applied, conflict, items, levels, locations, movements, reservation_lines, reservations,
};
use crate::domain::{
    Adjustment, AppliedKind, Level, Line, LinesTouched, Reservation, Spot, State, Stockroom,
    Target, Wish,
};

async fn empty(conn: &mut Connection) -> Result<Stockroom> {
    let now: DateTime<Utc> = sqlx::query_scalar("select now()").fetch_one(conn).await?;
    Ok(Stockroom::new(now))
}

/// For Reserve: the items, their levels, reservations that the orders already
/// have, and all overdue holds that sit on those items.
pub async fn for_wishes(conn: &mut Connection, wishes: &[&Wish]) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    let wanted: BTreeSet<&str> = wishes
        .iter()
        .flat_map(|wish| wish.demand.iter())
        .map(|(sku, _)| sku.as_str())
        .collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    put_items(&mut room, conn, &wanted).await?;

    let mut orders: BTreeSet<Uuid> = wishes.iter().map(|wish| wish.order_id.as_uuid()).collect();
    orders.extend(reservations::overdue_of(conn, &wanted).await?);
    put_reservations(&mut room, conn, orders).await?;

    let overdue = room
        .reservations
        .values()
        .filter(|reservation| reservation.is_overdue(room.now))
        .flat_map(|reservation| &reservation.lines);
    let mut skus: BTreeSet<&str> = overdue
        .filter(|line| line.location_id.is_some())
        .map(|line| line.sku.as_str())
        .collect();
    skus.extend(tracked(&room));
    let skus: Vec<String> = skus.into_iter().map(str::to_owned).collect();
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    for level in levels::lock_skus(conn, &skus).await? {
        room.add_level(level);
    }
    Ok(room)
}

fn tracked(room: &Stockroom) -> impl Iterator<Item = &str> {
    let tracked = room.items.values().filter(|item| item.stock_tracked);
    tracked.map(|item| item.sku.as_str())
}

/// For verbs on existing reservations: them, and the levels on which they
/// count.
pub async fn for_orders(
    conn: &mut Connection,
    orders: impl IntoIterator<Item = OrderId>,
) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    let orders = orders.into_iter().map(|order_id| order_id.as_uuid());
    put_reservations(&mut room, conn, orders.collect()).await?;
    let spots = live_spots(&room);
    put_levels(&mut room, conn, spots).await?;
    Ok(room)
}

/// For the sweeper: overdue holds that nobody else works on.
pub async fn of_overdue(conn: &mut Connection, limit: i64) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    let mut found = reservations::lock_overdue(conn, limit).await?;
    reservation_lines::fill(conn, &mut found).await?;
    add_reservations(&mut room, found);
    let spots = live_spots(&room);
    put_levels(&mut room, conn, spots).await?;
    Ok(room)
}

/// For Fulfill: also which of the shipments were made before.
pub async fn for_shipments(
    conn: &mut Connection,
    shipments: &[(OrderId, Uuid)],
) -> Result<Stockroom> {
    let mut room = for_orders(conn, shipments.iter().map(|(order_id, _)| *order_id)).await?;
    let done = applied::done(conn, AppliedKind::Fulfillment, shipments).await?;
    room.applied.extend(done);
    Ok(room)
}

/// Goods of an order that come back: the return's id, and where to put them.
pub type Inbound<'a> = (OrderId, Uuid, Option<&'a LocationId>);

/// For ReturnToStock: reservations, the returns made before, and the levels
/// where goods may arrive.
pub async fn for_returns(conn: &mut Connection, returns: &[Inbound<'_>]) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    let orders = returns.iter().map(|(order_id, ..)| order_id.as_uuid());
    put_reservations(&mut room, conn, orders.collect()).await?;
    let ids: Vec<_> = returns
        .iter()
        .map(|(order_id, id, _)| (*order_id, *id))
        .collect();
    room.applied = applied::done(conn, AppliedKind::Return, &ids)
        .await?
        .into_iter()
        .collect();
    let named: Vec<&str> = returns
        .iter()
        .filter_map(|(.., location)| location.map(LocationId::as_str))
        .collect();
    room.locations = locations::known(conn, &named).await?.into_iter().collect();

    let mut spots = BTreeSet::new();
    for (order_id, _, location) in returns {
        let lines = room.reservations.get(order_id).map(|found| &found.lines);
        let out = lines.into_iter().flatten().filter(|line| line.out() > 0);
        for (sku, from) in out.filter_map(Line::spot) {
            spots.insert((sku, location.cloned().unwrap_or(from)));
        }
    }
    make_levels(&mut room, conn, &spots).await?;
    put_levels(&mut room, conn, spots).await?;
    Ok(room)
}

/// For TransferStock: both ends.
pub async fn for_transfers(conn: &mut Connection, spots: &[Spot]) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    put_names(&mut room, conn, spots.iter()).await?;
    let spots: BTreeSet<Spot> = spots.iter().cloned().collect();
    make_levels(&mut room, conn, &spots).await?;
    put_levels(&mut room, conn, spots).await?;
    Ok(room)
}

/// For AdjustStock and SetStock: the levels, and the possible victims of those
/// that are forced.
pub async fn for_adjustments(
    conn: &mut Connection,
    adjustments: &[&Adjustment],
) -> Result<Stockroom> {
    let mut room = empty(conn).await?;
    let spots: BTreeSet<Spot> = adjustments.iter().map(|one| one.spot()).collect();
    put_names(&mut room, conn, spots.iter()).await?;

    let scarce = scarce(conn, adjustments).await?;
    let (skus, places): (Vec<&str>, Vec<&str>) = scarce
        .iter()
        .map(|(sku, place)| (sku.as_str(), place.as_str()))
        .unzip();
    if !scarce.is_empty() {
        let victims = reservations::promised_at(conn, &skus, &places).await?;
        put_reservations(&mut room, conn, victims.into_iter().collect()).await?;
    }
    let growing = adjustments.iter().filter(|one| may_make_level(one));
    let growing = growing.map(|one| one.spot()).collect();
    make_levels(&mut room, conn, &growing).await?;
    let mut all = live_spots(&room);
    all.extend(spots);
    put_levels(&mut room, conn, all).await?;
    Ok(room)
}

fn may_make_level(adjustment: &Adjustment) -> bool {
    let adds = match adjustment.target {
        Target::By(delta) => delta > 0,
        Target::To { .. } => true,
    };
    adds && adjustment.version.is_none()
}

/// The levels that forced adjustments could bring below what is promised, as
/// far as can be seen without locks.
async fn scarce(conn: &mut Connection, adjustments: &[&Adjustment]) -> Result<Vec<Spot>> {
    let forced: BTreeSet<Spot> = adjustments
        .iter()
        .filter(|one| one.force)
        .map(|one| one.spot())
        .collect();
    if forced.is_empty() {
        return Ok(Vec::new());
    }
    let skus: Vec<&str> = forced.iter().map(|(sku, _)| sku.as_str()).collect();
    let found = levels::list(conn, &skus).await?;
    let scarce = found.into_iter().filter(|level| {
        let spot = level.spot();
        let here = adjustments.iter().filter(|one| one.spot() == spot);
        forced.contains(&spot) && level.promised() > least(level, here) + level.backorder_limit
    });
    Ok(scarce.map(|level| level.spot()).collect())
}

/// The least that may be on hand after adjustments in any order.
fn least<'a>(level: &Level, adjustments: impl Iterator<Item = &'a &'a Adjustment>) -> i64 {
    let (mut base, mut taken) = (level.on_hand, 0);
    for adjustment in adjustments {
        match adjustment.target {
            Target::By(delta) => taken += delta.min(0),
            Target::To { on_hand, .. } => base = base.min(on_hand),
        }
    }
    base + taken
}

async fn put_items(room: &mut Stockroom, conn: &mut Connection, skus: &[&str]) -> Result<()> {
    let found = items::list(conn, skus).await?.into_iter();
    room.items = found.map(|item| (item.sku.clone(), item)).collect();
    Ok(())
}

async fn put_names(
    room: &mut Stockroom,
    conn: &mut Connection,
    spots: impl Iterator<Item = &Spot> + Clone,
) -> Result<()> {
    let skus: Vec<&str> = spots.clone().map(|(sku, _)| sku.as_str()).collect();
    put_items(room, conn, &skus).await?;
    let places: Vec<&str> = spots.map(|(_, place)| place.as_str()).collect();
    room.locations = locations::known(conn, &places).await?.into_iter().collect();
    Ok(())
}

async fn put_reservations(
    room: &mut Stockroom,
    conn: &mut Connection,
    orders: BTreeSet<Uuid>,
) -> Result<()> {
    let orders: Vec<Uuid> = orders.into_iter().collect();
    let mut found = reservations::lock(conn, &orders).await?;
    reservation_lines::fill(conn, &mut found).await?;
    add_reservations(room, found);
    Ok(())
}

fn add_reservations(room: &mut Stockroom, found: Vec<Reservation>) {
    let found = found.into_iter();
    room.reservations
        .extend(found.map(|reservation| (reservation.order_id, reservation)));
}

/// Where reservations count as held or committed.
fn live_spots(room: &Stockroom) -> BTreeSet<Spot> {
    let live = room.reservations.values().filter(|one| one.is_live());
    let lines = live.flat_map(|reservation| &reservation.lines);
    lines.filter_map(Line::spot).collect()
}

async fn put_levels(
    room: &mut Stockroom,
    conn: &mut Connection,
    spots: BTreeSet<Spot>,
) -> Result<()> {
    if spots.is_empty() {
        return Ok(());
    }
    let spots: Vec<Spot> = spots.into_iter().collect();
    for level in levels::lock(conn, &spots).await? {
        room.add_level(level);
    }
    Ok(())
}

async fn make_levels(
    room: &mut Stockroom,
    conn: &mut Connection,
    spots: &BTreeSet<Spot>,
) -> Result<()> {
    if spots.is_empty() {
        return Ok(());
    }
    let spots: Vec<Spot> = spots.iter().cloned().collect();
    let made = levels::insert_missing(conn, &spots).await?;
    room.changes.made.extend(made);
    Ok(())
}

/// Writes what was changed. The levels, on which others wait, go last.
pub async fn save(conn: &mut Connection, room: &Stockroom) -> Result<()> {
    if room.is_incomplete {
        return conflict::run_again(conn).await;
    }
    let changes = &room.changes;
    save_reservations(conn, room).await?;
    if !changes.applied.is_empty() {
        applied::insert(conn, &changes.applied).await?;
    }
    crate::events::append(conn, &changes.events, room.now).await?;
    let unused: Vec<Spot> = changes.made.difference(&changes.levels).cloned().collect();
    if !unused.is_empty() {
        levels::delete_unused(conn, &unused).await?;
    }
    if !changes.movements.is_empty() {
        movements::append(conn, &changes.movements).await?;
    }
    save_levels(conn, room).await
}

async fn save_reservations(conn: &mut Connection, room: &Stockroom) -> Result<()> {
    let touched = &room.changes.reservations;
    let with = |is_new: bool| -> Vec<&Reservation> {
        let touched = touched.iter().filter(|(_, how)| how.is_new == is_new);
        touched
            .filter_map(|(order_id, _)| room.reservations.get(order_id))
            .collect()
    };
    let (old, mut new) = (with(false), with(true));
    if failpoint::planted!("no-tombstone") {
        new.retain(|reservation| reservation.state != State::Tombstone);
    }
    if !old.is_empty() {
        expect(reservations::update(conn, &old).await?, old.len())?;
    }
    if !new.is_empty() && reservations::insert(conn, &new).await? < new.len() as u64 {
        return conflict::run_again(conn).await;
    }
    save_lines(conn, room).await
}

async fn save_lines(conn: &mut Connection, room: &Stockroom) -> Result<()> {
    let touched = &room.changes.reservations;
    let lines = |wanted: LinesTouched| -> Vec<(OrderId, &Line)> {
        let touched = touched.iter().filter(|(_, how)| how.lines == wanted);
        touched
            .filter_map(|(order_id, _)| room.reservations.get(order_id))
            .flat_map(|found| found.lines.iter().map(|line| (found.order_id, line)))
            .collect()
    };
    let outdated: Vec<Uuid> = touched
        .iter()
        .filter(|(_, how)| !how.is_new && how.lines == LinesTouched::Replaced)
        .map(|(order_id, _)| order_id.as_uuid())
        .collect();
    if !outdated.is_empty() {
        reservation_lines::delete_all_of(conn, &outdated).await?;
    }
    let (fresh, counted) = (lines(LinesTouched::Replaced), lines(LinesTouched::Counted));
    if !fresh.is_empty() {
        reservation_lines::insert(conn, &fresh).await?;
    }
    if !counted.is_empty() {
        reservation_lines::update_counts(conn, &counted).await?;
    }
    Ok(())
}

async fn save_levels(conn: &mut Connection, room: &Stockroom) -> Result<()> {
    let changed: Vec<&Level> = room
        .changes
        .levels
        .iter()
        .filter_map(|spot| room.level(spot))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    expect(levels::update(conn, &changed).await?, changed.len())
}

/// Rows that are locked are there; if not, this is a bug, and nothing of it
/// may be committed.
fn expect(written: u64, wanted: usize) -> Result<()> {
    match written == wanted as u64 {
        true => Ok(()),
        false => {
            let message = format!("{written} rows were written instead of {wanted}");
            Err(sqlx::Error::Decode(message.into()).into())
        }
    }
}
