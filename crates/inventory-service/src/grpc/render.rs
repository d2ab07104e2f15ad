//! The service's own values, into answers.

use api::inventory::v1 as pb;
use idempotency::{Answer, Saved};
use prost::Message;

use crate::{
    app::{
        Availability, Committed, Extended, Fulfilled, ItemStored, ItemsStored, LocationStored,
        Released, Reserved, Returned, Stock, StockAdjusted, StockSet, StockTransferred,
    },
    domain::{Adjusted, Item, Level, Line, Location, MovementKind, Reservation, State},
    store::{audit::Finding, movements::Recorded},
};

/// An output is rendered in one way, for the caller and for its key.
macro_rules! answers {
    ($($output:ident => $message:ident: $render:expr;)*) => {$(
        impl From<&$output> for pb::$message {
            fn from(output: &$output) -> Self {
                let render: fn(&$output) -> Self = $render;
                render(output)
            }
        }

        impl Answer for $output {
            fn saved(&self) -> Saved {
                Saved {
                    code: 0,
                    body: pb::$message::from(self).encode_to_vec(),
                }
            }
        }
    )*};
}

answers! {
    Reserved => ReserveResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    Committed => CommitResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    Released => ReleaseResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    Extended => ExtendResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    Fulfilled => FulfillResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    Returned => ReturnToStockResponse: |one| Self { reservation: Some(reservation(&one.0)) };
    StockAdjusted => AdjustStockResponse: |one| Self {
        level: Some(level(&one.0.level)),
        shortfall_order_ids: shortfall(&one.0),
    };
    StockSet => SetStockResponse: |one| Self {
        level: Some(level(&one.0.level)),
        shortfall_order_ids: shortfall(&one.0),
    };
    StockTransferred => TransferStockResponse: |one| Self {
        from: Some(level(&one.0.from)),
        to: Some(level(&one.0.to)),
    };
    ItemStored => UpsertItemResponse: |one| Self { item: Some(item(&one.0)) };
    ItemsStored => BatchUpsertItemsResponse: |all| Self {
        items: all.0.iter().map(item).collect(),
    };
    LocationStored => UpsertLocationResponse: |one| Self { location: Some(location(&one.0)) };
}

/// What batches of the three verbs answer with.
macro_rules! reservations {
    ($($output:ident)*) => {$(
        impl From<&$output> for pb::Reservation {
            fn from(output: &$output) -> Self {
                reservation(&output.0)
            }
        }
    )*};
}

reservations! { Reserved Committed Released }

pub(super) fn reservation(reservation: &Reservation) -> pb::Reservation {
    let expires_at = match reservation.state {
        State::Held { expires_at } => Some(expires_at),
        _ => None,
    };
    pb::Reservation {
        order_id: reservation.order_id.to_string(),
        state: state(reservation.state).into(),
        lines: reserved_lines(&reservation.lines),
        expire_time: expires_at.map(api::to_timestamp),
        create_time: Some(api::to_timestamp(reservation.created_at)),
        etag: rpc::etag(reservation.version),
    }
}

fn state(state: State) -> pb::ReservationState {
    match state {
        State::Held { .. } => pb::ReservationState::Held,
        State::Committed => pb::ReservationState::Committed,
        State::Fulfilled => pb::ReservationState::Fulfilled,
        State::Expired => pb::ReservationState::Expired,
        State::Released => pb::ReservationState::Released,
        State::Tombstone => pb::ReservationState::Tombstone,
    }
}

/// One entry per SKU, of lines that are sorted by it.
fn reserved_lines(lines: &[Line]) -> Vec<pb::ReservedLine> {
    let per_sku = lines.chunk_by(|left, right| left.sku == right.sku);
    per_sku.filter_map(reserved_line).collect()
}

fn reserved_line(lines: &[Line]) -> Option<pb::ReservedLine> {
    let first = lines.first()?;
    let allocations = lines.iter().filter_map(|line| {
        Some(pb::Allocation {
            location_id: line.location_id.as_ref()?.to_string(),
            quantity: line.quantity,
        })
    });
    Some(pb::ReservedLine {
        sku: first.sku.to_string(),
        quantity: lines.iter().map(|line| line.quantity).sum(),
        list_price: first.list_price.map(Into::into),
        allocations: allocations.collect(),
        fulfilled: lines.iter().map(|line| line.fulfilled).sum(),
    })
}

pub(super) fn level(level: &Level) -> pb::StockLevel {
    pb::StockLevel {
        sku: level.sku.to_string(),
        location_id: level.location_id.to_string(),
        on_hand: level.on_hand,
        held: level.held,
        committed: level.committed,
        safety_stock: level.safety_stock,
        available: level.available(),
        etag: rpc::etag(level.version),
    }
}

fn shortfall(adjusted: &Adjusted) -> Vec<String> {
    adjusted.shortfall.iter().map(ToString::to_string).collect()
}

pub(super) fn item(item: &Item) -> pb::Item {
    pb::Item {
        sku: item.sku.to_string(),
        title: item.title.clone(),
        list_price: item.list_price.map(Into::into),
        stock_tracked: Some(item.stock_tracked),
        backorder_limit: item.backorder_limit,
        etag: rpc::etag(item.version),
    }
}

pub(super) fn location(location: &Location) -> pb::Location {
    pb::Location {
        id: location.id.to_string(),
        name: location.name.clone(),
        priority: location.priority,
        etag: rpc::etag(location.version),
    }
}

pub(super) fn movement(recorded: &Recorded) -> pb::StockMovement {
    let movement = &recorded.movement;
    let kind = match movement.cause.kind {
        MovementKind::Set => pb::MovementKind::Set,
        MovementKind::Adjust => pb::MovementKind::Adjust,
        MovementKind::Fulfill => pb::MovementKind::Fulfill,
        MovementKind::Return => pb::MovementKind::Return,
        MovementKind::TransferOut => pb::MovementKind::TransferOut,
        MovementKind::TransferIn => pb::MovementKind::TransferIn,
    };
    pb::StockMovement {
        sequence: recorded.sequence,
        sku: movement.sku.to_string(),
        location_id: movement.location_id.to_string(),
        kind: kind.into(),
        delta: movement.delta,
        on_hand_after: movement.on_hand_after,
        reference: movement.cause.reference.clone(),
        reason: movement.cause.reason.clone(),
        time: Some(api::to_timestamp(recorded.recorded_at)),
    }
}

pub(super) fn availability(items: &[Availability]) -> pb::CheckAvailabilityResponse {
    let render = |one: &Availability| pb::Availability {
        sku: one.sku.to_string(),
        requested: one.requested,
        available: one.available,
        known: one.known,
        list_price: one.list_price.map(Into::into),
    };
    pb::CheckAvailabilityResponse {
        available: items.iter().all(Availability::is_enough),
        items: items.iter().map(render).collect(),
    }
}

pub(super) fn stock(stock: &Stock) -> pb::GetStockResponse {
    pb::GetStockResponse {
        item: Some(item(&stock.item)),
        levels: stock.levels.iter().map(level).collect(),
        available: stock.levels.iter().map(Level::available).sum(),
    }
}

pub(super) fn finding(finding: &Finding) -> api::common::v1::AuditFinding {
    api::common::v1::AuditFinding {
        invariant: finding.invariant.to_owned(),
        description: finding.description.to_owned(),
        violations: finding.violations,
        samples: finding.samples.clone(),
    }
}
