//! What a client can send, read as each request there is. For the fuzz targets,
//! which know bytes only.

use api::inventory::v1 as pb;
use prost::Message;
use rpc::Problem;

use super::{parse, parse_stock as stock};

/// The name of a request, and what is wrong with it.
pub type Read = (&'static str, Result<(), Problem>);

/// `bytes` as every request that they decode to, each as its method reads it.
pub fn read(bytes: &[u8]) -> Vec<Read> {
    let found = [
        of("CheckAvailabilityRequest", bytes, |r| {
            parse::check_availability(r).map(drop)
        }),
        of("ReserveRequest", bytes, |r| parse::reserve(r).map(drop)),
        of("CommitRequest", bytes, |r| parse::commit(r).map(drop)),
        of("ReleaseRequest", bytes, |r| parse::release(r).map(drop)),
        of("ExtendRequest", bytes, |r| parse::extend(r).map(drop)),
        of("FulfillRequest", bytes, |r| parse::fulfill(r).map(drop)),
        of("ReturnToStockRequest", bytes, |r| {
            parse::return_to_stock(r).map(drop)
        }),
        of("GetReservationRequest", bytes, |r| {
            parse::get_reservation(r).map(drop)
        }),
        of("ListReservationsRequest", bytes, |r| {
            parse::list_reservations(r).map(drop)
        }),
        of("AdjustStockRequest", bytes, |r| {
            stock::adjust_stock(r).map(drop)
        }),
        of("SetStockRequest", bytes, |r| stock::set_stock(r).map(drop)),
        of("TransferStockRequest", bytes, |r| {
            stock::transfer_stock(r).map(drop)
        }),
        of("UpsertItemRequest", bytes, |r| {
            stock::upsert_item(r).map(drop)
        }),
        of("BatchUpsertItemsRequest", bytes, |r| {
            stock::batch_upsert_items(r).map(drop)
        }),
        of("UpsertLocationRequest", bytes, |r| {
            stock::upsert_location(r).map(drop)
        }),
        of("ListStockRequest", bytes, |r| {
            stock::list_stock(r).map(drop)
        }),
        of("WatchStockRequest", bytes, |r| {
            stock::watch_stock(r).map(drop)
        }),
        of("GetStockRequest", bytes, |r: &pb::GetStockRequest| {
            stock::sku(&r.sku).map(drop)
        }),
    ];
    found.into_iter().flatten().collect()
}

fn of<M: Message + Default>(
    name: &'static str,
    bytes: &[u8],
    parse: impl FnOnce(&M) -> Result<(), Problem>,
) -> Option<Read> {
    let message = M::decode(bytes).ok()?;
    Some((name, parse(&message)))
}
