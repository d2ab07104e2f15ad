//! Places the sales and ships what was confirmed.

use std::{collections::BTreeMap, time::Instant};

use api::order::v1 as pb;
use futures::{StreamExt, stream};
use indicatif::ProgressBar;
use tonic::Code;

use super::{Options, PATIENCE};
use crate::{
    command::order::fetch,
    failure::{CallFailure, Failure},
    replay::{parse::CURRENCY, plan::Plan, plan::Sale},
    shop::Shop,
    show,
};

/// Who buys without a customer id.
const GUEST: &str = "guest";
const POLL: std::time::Duration = std::time::Duration::from_millis(200);

/// A confirmed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub order_id: String,
    pub total_minor: i64,
}

/// What became of one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Confirmed(Placed),
    Rejected { reason: String, short: Vec<String> },
    Other(String),
}

/// One outcome for each sale, in the order of the plan.
pub(super) async fn place_all(plan: &Plan, options: &Options, shop: &Shop) -> Vec<Outcome> {
    let bar = (options.bar)("sales", plan.sales.len());
    let placing = stream::iter(&plan.sales).map(|sale| place(sale, options, shop, &bar));
    let outcomes = placing.buffered(options.concurrency.max(1)).collect().await;
    bar.finish_and_clear();
    outcomes
}

async fn place(sale: &Sale, options: &Options, shop: &Shop, bar: &ProgressBar) -> Outcome {
    let key = format!("replay:{}", sale.invoice);
    let request = request(sale, options);
    let answer = shop
        .orders
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.create_order(request).await
        });
    let outcome = match answer.await {
        Ok(answer) => settle(answer.order.unwrap_or_default(), shop).await,
        Err(failure) => Ok(refused(&failure)),
    };
    bar.inc(1);
    outcome.unwrap_or_else(|failure| Outcome::Other(failure.to_string()))
}

fn request(sale: &Sale, options: &Options) -> pb::CreateOrderRequest {
    let lines = sale.lines.iter().map(|line| pb::NewOrderLine {
        sku: line.sku.to_string(),
        quantity: line.quantity.get(),
        unit_price: Some(line.price.into()),
    });
    let customer = sale.customer.as_ref();
    pb::CreateOrderRequest {
        customer_id: customer.map_or_else(|| GUEST.to_owned(), ToString::to_string),
        currency_code: CURRENCY.to_owned(),
        lines: lines.collect(),
        payment_method: options.payment_method.clone(),
        capture_method: pb::CaptureMethod::Automatic.into(),
        wait: pb::CreateOrderWait::Outcome.into(),
        reference: sale.invoice.clone(),
        expected_total: None,
    }
}

/// Waits for an order that was only accepted. The answer under a key never
/// changes, so the order itself is asked.
async fn settle(mut order: pb::Order, shop: &Shop) -> Result<Outcome, Failure> {
    use pb::OrderState as State;
    let start = Instant::now();
    loop {
        match order.state() {
            State::Confirmed | State::PartiallyFulfilled | State::Fulfilled => {
                let total_minor = order.total.as_ref().map_or(0, |total| total.minor_units);
                let order_id = order.id;
                return Ok(Outcome::Confirmed(Placed {
                    order_id,
                    total_minor,
                }));
            }
            State::Rejected => {
                let reason = order.reason.unwrap_or_default();
                let (reason, short) = (reason.code, vec![reason.message]);
                return Ok(Outcome::Rejected { reason, short });
            }
            State::Pending | State::Compensating if start.elapsed() < PATIENCE => {
                tokio::time::sleep(POLL).await;
                order = fetch(&order.id, shop).await?;
            }
            state => {
                let state = show::order_state(state.into());
                return Ok(Outcome::Other(format!("order {} is {state}", order.id)));
            }
        }
    }
}

fn refused(failure: &Failure) -> Outcome {
    match failure {
        Failure::Call(call) if call.status.code() == Code::FailedPrecondition => {
            Outcome::Rejected {
                reason: call.reason(),
                short: named_lines(call),
            }
        }
        failure => Outcome::Other(failure.to_string()),
    }
}

/// Every refusal says something, be it only its message.
fn named_lines(call: &CallFailure) -> Vec<String> {
    let lines = call.preconditions();
    match lines.is_empty() {
        true => vec![call.status.message().to_owned()],
        false => lines,
    }
}

/// Ships every confirmed order in full; returns what went wrong.
pub(super) async fn fulfil_all(
    confirmed: &BTreeMap<&str, &Placed>,
    options: &Options,
    shop: &Shop,
) -> Vec<String> {
    let bar = (options.bar)("shipping", confirmed.len());
    let shipping = stream::iter(confirmed).map(|(invoice, placed)| {
        let bar = &bar;
        async move {
            let shipped = fulfil(invoice, &placed.order_id, shop).await;
            bar.inc(1);
            shipped
                .err()
                .map(|problem| format!("{invoice}: cannot be shipped: {problem}"))
        }
    });
    let problems = shipping.buffered(options.concurrency.max(1));
    let problems = problems
        .filter_map(|problem| async { problem })
        .collect()
        .await;
    bar.finish_and_clear();
    problems
}

async fn fulfil(invoice: &str, order_id: &str, shop: &Shop) -> Result<(), Failure> {
    let request = pb::CreateFulfillmentRequest {
        order_id: order_id.to_owned(),
        ..pb::CreateFulfillmentRequest::default()
    };
    let key = format!("replay:{invoice}:fulfil");
    let answer = shop
        .orders
        .insist(&key, request, PATIENCE, |mut client, request| async move {
            client.create_fulfillment(request).await
        });
    let fulfilment = answer.await?.fulfillment.unwrap_or_default();
    work_is_done(order_id, fulfilment.state(), shop, |story| {
        let all = story.fulfillments.iter();
        all.filter(|other| other.id == fulfilment.id)
            .map(pb::Fulfillment::state)
            .next()
    })
    .await
}

/// Waits for work that was under way when the call answered.
pub(super) async fn work_is_done(
    order_id: &str,
    mut state: pb::WorkState,
    shop: &Shop,
    find: impl Fn(&pb::GetOrderTimelineResponse) -> Option<pb::WorkState>,
) -> Result<(), Failure> {
    let start = Instant::now();
    while state != pb::WorkState::Done {
        if state == pb::WorkState::Failed || start.elapsed() > PATIENCE {
            let state = show::work_state(state.into());
            return Err(Failure::Mismatch(format!("it is {state}")));
        }
        tokio::time::sleep(POLL).await;
        let story = crate::command::fetch_timeline(order_id, shop).await?;
        state = find(&story).unwrap_or(pb::WorkState::Failed);
    }
    Ok(())
}
