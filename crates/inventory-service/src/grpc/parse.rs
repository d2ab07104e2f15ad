//! Requests about reservations, into the service's own values. Every violation
//! of a request is named by the path of its field.

use std::{ops::RangeInclusive, time::Duration};

use api::inventory::v1 as pb;
use rpc::{Fields, Problem};
use types::{FulfillmentId, LocationId, OrderId, Quantity, ReturnId, Sku};

use crate::{
    app::{Extension, Surrender},
    domain::{Demand, GoodsBack, Shipment, StateName, Strategy, Wish},
    store::reservations,
};

pub(super) const LINES_MAX: usize = 1_000;
const REASON_CHARS_MAX: usize = 200;
const DEFAULT_TTL: Duration = Duration::from_secs(10 * 60);
const TTL_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

pub(super) fn demand(
    fields: &mut Fields,
    lines: &[pb::StockLine],
    count: RangeInclusive<usize>,
) -> Option<Demand> {
    fields.count("lines", lines.len(), count)?;
    let parsed: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(place, line)| {
            let sku = fields.parse(format!("lines[{place}].sku"), Sku::parse(&line.sku));
            let path = format!("lines[{place}].quantity");
            let quantity = fields.parse(path, Quantity::try_from(line.quantity));
            sku.zip(quantity)
        })
        .collect();
    let parsed: Option<Vec<_>> = parsed.into_iter().collect();
    Some(Demand::of(parsed?))
}

fn order_id(fields: &mut Fields, text: &str) -> Option<OrderId> {
    fields.parse("order_id", OrderId::parse(text))
}

pub(super) fn optional<T, E: std::fmt::Display>(
    fields: &mut Fields,
    path: &str,
    text: &str,
    parse: fn(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    match text {
        "" => Some(None),
        text => fields.parse(path, parse(text)).map(Some),
    }
}

fn ttl(fields: &mut Fields, ttl: Option<&prost_types::Duration>) -> Option<Option<Duration>> {
    let Some(ttl) = ttl else { return Some(None) };
    let parsed = Duration::try_from(*ttl)
        .ok()
        .filter(|ttl| TTL_RANGE.contains(ttl))
        .ok_or("must be from 1 second to 24 hours");
    fields.parse("ttl", parsed).map(Some)
}

fn strategy(fields: &mut Fields, strategy: i32) -> Option<Strategy> {
    match pb::AllocationStrategy::try_from(strategy) {
        Ok(pb::AllocationStrategy::Unspecified | pb::AllocationStrategy::Priority) => {
            Some(Strategy::Priority)
        }
        Ok(pb::AllocationStrategy::MostAvailable) => Some(Strategy::MostAvailable),
        Err(_) => {
            fields.refuse("strategy", "must be a known strategy");
            None
        }
    }
}

pub(super) fn check_availability(
    request: &pb::CheckAvailabilityRequest,
) -> Result<Demand, Problem> {
    let mut fields = Fields::default();
    let demand = demand(&mut fields, &request.lines, 1..=LINES_MAX);
    fields.finish(demand)
}

pub(super) fn reserve(request: &pb::ReserveRequest) -> Result<Wish, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, &request.order_id);
    let demand = demand(&mut fields, &request.lines, 1..=LINES_MAX);
    let ttl = ttl(&mut fields, request.ttl.as_ref());
    let strategy = strategy(&mut fields, request.strategy);
    let wish = || {
        Some(Wish {
            order_id: order_id?,
            demand: demand?,
            ttl: ttl?.unwrap_or(DEFAULT_TTL),
            allow_partial: request.allow_partial,
            strategy: strategy?,
        })
    };
    fields.finish(wish())
}

pub(super) fn commit(request: &pb::CommitRequest) -> Result<OrderId, Problem> {
    only_order(&request.order_id)
}

pub(super) fn get_reservation(request: &pb::GetReservationRequest) -> Result<OrderId, Problem> {
    only_order(&request.order_id)
}

fn only_order(text: &str) -> Result<OrderId, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, text);
    fields.finish(order_id)
}

pub(super) fn release(request: &pb::ReleaseRequest) -> Result<Surrender, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, &request.order_id);
    let reason = fields.text("reason", &request.reason, REASON_CHARS_MAX);
    let surrender = order_id.zip(reason);
    fields.finish(surrender.map(|(order_id, reason)| Surrender { order_id, reason }))
}

pub(super) fn extend(request: &pb::ExtendRequest) -> Result<Extension, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, &request.order_id);
    let ttl = ttl(&mut fields, request.ttl.as_ref()).and_then(|ttl| {
        if ttl.is_none() {
            fields.refuse("ttl", "is required");
        }
        ttl
    });
    let extension = order_id.zip(ttl);
    fields.finish(extension.map(|(order_id, ttl)| Extension { order_id, ttl }))
}

pub(super) fn fulfill(request: &pb::FulfillRequest) -> Result<Shipment, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, &request.order_id);
    let id = FulfillmentId::parse(&request.fulfillment_id);
    let fulfillment_id = fields.parse("fulfillment_id", id);
    let demand = demand(&mut fields, &request.lines, 0..=LINES_MAX);
    let shipment = || {
        Some(Shipment {
            order_id: order_id?,
            fulfillment_id: fulfillment_id?,
            demand: demand?,
        })
    };
    fields.finish(shipment())
}

pub(super) fn return_to_stock(request: &pb::ReturnToStockRequest) -> Result<GoodsBack, Problem> {
    let mut fields = Fields::default();
    let order_id = order_id(&mut fields, &request.order_id);
    let return_id = fields.parse("return_id", ReturnId::parse(&request.return_id));
    let demand = demand(&mut fields, &request.lines, 1..=LINES_MAX);
    let to = &request.location_id;
    let location_id = optional(&mut fields, "location_id", to, LocationId::parse);
    let back = || {
        Some(GoodsBack {
            order_id: order_id?,
            return_id: return_id?,
            demand: demand?,
            location_id: location_id?,
        })
    };
    fields.finish(back())
}

pub(super) fn list_reservations(
    request: &pb::ListReservationsRequest,
) -> Result<reservations::Filter, Problem> {
    let mut fields = Fields::default();
    let state = state(&mut fields, request.state);
    let sku = optional(&mut fields, "sku", &request.sku, Sku::parse);
    let filter = state.zip(sku);
    fields.finish(filter.map(|(state, sku)| reservations::Filter { state, sku }))
}

fn state(fields: &mut Fields, state: i32) -> Option<Option<StateName>> {
    match pb::ReservationState::try_from(state) {
        Ok(pb::ReservationState::Unspecified) => Some(None),
        Ok(pb::ReservationState::Held) => Some(Some(StateName::Held)),
        Ok(pb::ReservationState::Committed) => Some(Some(StateName::Committed)),
        Ok(pb::ReservationState::Fulfilled) => Some(Some(StateName::Fulfilled)),
        Ok(pb::ReservationState::Expired) => Some(Some(StateName::Expired)),
        Ok(pb::ReservationState::Released) => Some(Some(StateName::Released)),
        Ok(pb::ReservationState::Tombstone) => Some(Some(StateName::Tombstone)),
        Err(_) => {
            fields.refuse("state", "must be a known state");
            None
        }
    }
}
