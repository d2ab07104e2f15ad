//! Corrections, and goods that come back.

use std::collections::BTreeMap;

use api::{inventory::v1 as inventory, order::v1 as pb};
use futures::{StreamExt, stream};

use super::{
    Options, PATIENCE,
    orders::{Placed, work_is_done},
};
use crate::{
    failure::Failure,
    replay::{plan::Correction, returns::Return},
    shop::Shop,
};

/// Makes every correction; returns what went wrong.
pub(super) async fn correct_all(
    corrections: &[Correction],
    options: &Options,
    shop: &Shop,
) -> Vec<String> {
    let bar = (options.bar)("corrections", corrections.len());
    let correcting = stream::iter(corrections).map(|correction| async {
        let corrected = correct(correction, shop).await;
        bar.inc(1);
        let (invoice, sku) = (&correction.invoice, &correction.sku);
        corrected
            .err()
            .map(|problem| format!("{invoice}: cannot correct {sku}: {problem}"))
    });
    let problems = correcting.buffered(options.concurrency.max(1));
    let problems = problems
        .filter_map(|problem| async { problem })
        .collect()
        .await;
    bar.finish_and_clear();
    problems
}

async fn correct(correction: &Correction, shop: &Shop) -> Result<(), Failure> {
    let key = format!(
        "replay:{}:correction:{}",
        correction.invoice, correction.nth
    );
    let request = inventory::AdjustStockRequest {
        sku: correction.sku.to_string(),
        delta: correction.delta,
        reason: "replay".to_owned(),
        ..inventory::AdjustStockRequest::default()
    };
    let answer = shop
        .inventory
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.adjust_stock(request).await
        });
    answer.await.map(drop)
}

/// Takes all returns in; returns what was paid back, and what went wrong.
pub(super) async fn return_all(
    returns: &[Return],
    confirmed: &BTreeMap<&str, &Placed>,
    options: &Options,
    shop: &Shop,
) -> (i64, Vec<String>) {
    let bar = (options.bar)("returns", returns.len());
    let returning = stream::iter(returns).map(|back| async {
        let refunded = match confirmed.get(back.sale.as_str()) {
            Some(placed) => give_back(back, &placed.order_id, shop).await,
            None => Err(Failure::Internal("its order was not confirmed".to_owned())),
        };
        bar.inc(1);
        let Return {
            cancellation, sale, ..
        } = back;
        refunded.map_err(|problem| format!("{cancellation}: cannot return {sale}: {problem}"))
    });
    let results: Vec<_> = returning
        .buffered(options.concurrency.max(1))
        .collect()
        .await;
    bar.finish_and_clear();
    let refunded_minor = results.iter().flatten().sum();
    (
        refunded_minor,
        results.into_iter().filter_map(Result::err).collect(),
    )
}

/// Returns what was paid back, in minor units.
async fn give_back(back: &Return, order_id: &str, shop: &Shop) -> Result<i64, Failure> {
    let lines = back
        .units
        .iter()
        .map(|(line_number, quantity)| pb::LineQuantity {
            line_number: *line_number,
            quantity: *quantity,
        });
    let request = pb::CreateReturnRequest {
        order_id: order_id.to_owned(),
        lines: lines.collect(),
        restock: true,
        reason: format!("cancellation {}", back.cancellation),
        etag: String::new(),
    };
    let key = format!("replay:{}:return:{}", back.cancellation, back.sale);
    let announced = shop
        .orders
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.create_return(request).await
        });
    let announced = announced.await?.order_return.unwrap_or_default();
    let request = pb::ReceiveReturnRequest {
        return_id: announced.id.clone(),
    };
    let key = format!("{key}:receive");
    let received = shop
        .orders
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.receive_return(request).await
        });
    let received = received.await?.order_return.unwrap_or_default();
    work_is_done(order_id, received.state(), shop, |story| {
        let all = story.returns.iter();
        all.filter(|other| other.id == announced.id)
            .map(pb::Return::state)
            .next()
    })
    .await?;
    Ok(received.refund.map_or(0, |refund| refund.minor_units))
}
