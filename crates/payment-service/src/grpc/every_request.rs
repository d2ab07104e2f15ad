//! What a client can send, read as each request there is. For the fuzz targets,
//! which know bytes only.

use api::payment::v1 as pb;
use prost::Message;
use rpc::Problem;
use types::RefundId;

use super::parse;

/// The name of a request, and what is wrong with it.
pub type Read = (&'static str, Result<(), Problem>);

/// `bytes` as every request that they decode to, each as its method reads it.
pub fn read(bytes: &[u8]) -> Vec<Read> {
    let found = [
        of("CreatePaymentRequest", bytes, |r| {
            parse::create_payment(r).map(drop)
        }),
        of("ConfirmPaymentRequest", bytes, |r| {
            parse::confirm_payment(r).map(drop)
        }),
        of("CapturePaymentRequest", bytes, |r| {
            parse::capture_payment(r).map(drop)
        }),
        of("VoidPaymentRequest", bytes, |r| {
            parse::void_payment(r).map(drop)
        }),
        of("RefundPaymentRequest", bytes, |r| {
            parse::refund_payment(RefundId::generate(), r).map(drop)
        }),
        of("GetPaymentRequest", bytes, |r| {
            parse::get_payment(r).map(drop)
        }),
        of("ReconcileProviderRequest", bytes, |r| {
            parse::reconcile_provider(r).map(drop)
        }),
        of("GetRefundRequest", bytes, |r| {
            parse::get_refund(r).map(drop)
        }),
        of(
            "ListPaymentsRequest",
            bytes,
            |r: &pb::ListPaymentsRequest| {
                parse::filters("", &r.order_id)?;
                parse::state_filter(r.state).map(drop)
            },
        ),
        of("ListRefundsRequest", bytes, |r: &pb::ListRefundsRequest| {
            parse::filters(&r.payment_id, &r.order_id).map(drop)
        }),
        of(
            "ListLedgerEntriesRequest",
            bytes,
            |r: &pb::ListLedgerEntriesRequest| parse::filters(&r.payment_id, &r.order_id).map(drop),
        ),
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
