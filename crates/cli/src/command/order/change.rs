//! The commands that change an order.

use api::order::v1 as pb;
use clap::Args;
use types::{Currency, OrderId, ReturnId};

use super::{read, view};
use crate::{
    args::KeyArg,
    failure::Failure,
    input::{self, LineQuantityArg},
    output::Output,
    shop::Shop,
};

/// The order, and on what condition.
#[derive(Debug, Args)]
struct Target {
    order_id: OrderId,
    /// Only if the order has not changed since this etag was read.
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    key: KeyArg,
}

#[derive(Debug, Args)]
pub struct Cancel {
    #[command(flatten)]
    target: Target,
    /// Why; kept in the order's events.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

#[derive(Debug, Args)]
pub struct Fulfil {
    #[command(flatten)]
    target: Target,
    /// Units of one line that ship; may be repeated [default: all that has not shipped].
    #[arg(long = "line", short, value_name = "NUMBER=QTY")]
    lines: Vec<LineQuantityArg>,
    /// The carrier's number.
    #[arg(long, default_value = "", hide_default_value = true)]
    tracking: String,
}

#[derive(Debug, Args)]
pub struct Return {
    #[command(flatten)]
    target: Target,
    /// Units of one line that come back; may be repeated.
    #[arg(long = "line", short, value_name = "NUMBER=QTY", required = true)]
    lines: Vec<LineQuantityArg>,
    /// Put the goods back on the shelves.
    #[arg(long)]
    restock: bool,
    /// Why.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only announce the return: nothing moves until `order receive`.
    #[arg(long)]
    announce: bool,
}

#[derive(Debug, Args)]
pub struct Receive {
    return_id: ReturnId,
    #[command(flatten)]
    key: KeyArg,
}

#[derive(Debug, Args)]
pub struct Refund {
    #[command(flatten)]
    target: Target,
    /// How much, in major units such as 12.34 [default: all that is left].
    #[arg(long)]
    amount: Option<String>,
    /// Why.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

pub async fn cancel(args: &Cancel, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::CancelOrderRequest {
        order_id: args.target.order_id.to_string(),
        reason: args.reason.clone(),
        etag: args.target.etag.clone(),
    };
    let answer = shop
        .orders
        .change(
            &args.target.key.or_new(),
            request,
            |mut client, request| async move { client.cancel_order(request).await },
        )
        .await?;
    output.message(&answer, |answer| view::order_of(answer.order.as_ref()))
}

pub async fn fulfil(args: &Fulfil, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::CreateFulfillmentRequest {
        order_id: args.target.order_id.to_string(),
        lines: args.lines.iter().map(|line| (*line).into()).collect(),
        tracking: args.tracking.clone(),
        etag: args.target.etag.clone(),
    };
    let answer = shop
        .orders
        .change(
            &args.target.key.or_new(),
            request,
            |mut client, request| async move { client.create_fulfillment(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        let shipment = answer.fulfillment.as_ref().map(view::shipment);
        let order = view::order_of(answer.order.as_ref());
        format!("{}\n{order}", shipment.unwrap_or_default())
    })
}

pub async fn give_back(args: &Return, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::CreateReturnRequest {
        order_id: args.target.order_id.to_string(),
        lines: args.lines.iter().map(|line| (*line).into()).collect(),
        restock: args.restock,
        reason: args.reason.clone(),
        etag: args.target.etag.clone(),
    };
    let key = args.target.key.or_new();
    let announced = shop
        .orders
        .change(&key, request, |mut client, request| async move {
            client.create_return(request).await
        })
        .await?;
    let announced_return = announced.order_return.clone().unwrap_or_default();
    if args.announce {
        return output.message(&announced, |_| view::give_back(&announced_return));
    }
    receive_by_id(
        &announced_return.id,
        &format!("{key}:receive"),
        shop,
        output,
    )
    .await
}

pub async fn receive(args: &Receive, shop: &Shop, output: Output) -> Result<(), Failure> {
    receive_by_id(
        &args.return_id.to_string(),
        &args.key.or_new(),
        shop,
        output,
    )
    .await
}

async fn receive_by_id(id: &str, key: &str, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::ReceiveReturnRequest {
        return_id: id.to_owned(),
    };
    let answer = shop
        .orders
        .change(key, request, |mut client, request| async move {
            client.receive_return(request).await
        })
        .await?;
    output.message(&answer, |answer| {
        let back = answer.order_return.as_ref().map(view::give_back);
        let order = view::order_of(answer.order.as_ref());
        format!("{}\n{order}", back.unwrap_or_default())
    })
}

pub async fn refund(args: &Refund, shop: &Shop, output: Output) -> Result<(), Failure> {
    let order_id = args.target.order_id.to_string();
    let amount = match &args.amount {
        None => None,
        Some(amount) => {
            let order = read::fetch(&order_id, shop).await?;
            let currency = Currency::parse(&order.currency_code)
                .map_err(|error| Failure::Internal(error.to_string()))?;
            Some(input::amount("--amount", amount, currency)?)
        }
    };
    let request = pb::RefundOrderRequest {
        order_id,
        amount,
        reason: args.reason.clone(),
        etag: args.target.etag.clone(),
    };
    let answer = shop
        .orders
        .change(
            &args.target.key.or_new(),
            request,
            |mut client, request| async move { client.refund_order(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        let refund = view::refund(answer);
        format!("{refund}\n{}", view::order_of(answer.order.as_ref()))
    })
}
