//! What a client can send, read as each request there is. For the fuzz targets,
//! which know bytes only.

use api::order::v1 as pb;
use prost::Message;
use rpc::{Caller, Problem};

use super::parse;

/// The name of a request, and what is wrong with it.
pub type Read = (&'static str, Result<(), Problem>);

/// `bytes` as every request that they decode to, each as its method reads it.
pub fn read(bytes: &[u8], caller: &Caller) -> Vec<Read> {
    let found = [
        of("CreateOrderRequest", bytes, |r| {
            parse::create_order(r, caller).map(drop)
        }),
        of("CancelOrderRequest", bytes, |r| {
            parse::cancel_order(r, caller).map(drop)
        }),
        of("CreateFulfillmentRequest", bytes, |r| {
            parse::create_fulfillment(r, caller).map(drop)
        }),
        of("CreateReturnRequest", bytes, |r| {
            parse::create_return(r, caller).map(drop)
        }),
        of("ReceiveReturnRequest", bytes, |r| {
            parse::receive_return(r, caller).map(drop)
        }),
        of("RefundOrderRequest", bytes, |r| {
            parse::refund_order(r, caller).map(drop)
        }),
        of("ResolveSagaRequest", bytes, |r| {
            parse::resolve_saga(r, caller).map(drop)
        }),
        of("ListOrdersRequest", bytes, |r| {
            parse::list_orders(r, caller).map(drop)
        }),
        of(
            "BatchGetOrdersRequest",
            bytes,
            |r: &pb::BatchGetOrdersRequest| parse::order_ids(&r.order_ids).map(drop),
        ),
        of("GetOrderRequest", bytes, |r: &pb::GetOrderRequest| {
            parse::order_id(&r.order_id).map(drop)
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
