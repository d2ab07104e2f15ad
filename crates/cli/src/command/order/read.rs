//! The commands that only look.

use std::num::NonZeroUsize;

use api::order::v1 as pb;
use clap::Args;
use types::OrderId;

use super::view;
use crate::{command::timeline, failure::Failure, input, output::Output, shop::Shop};

const PAGE: usize = 100;

#[derive(Debug, Args)]
pub struct Get {
    order_id: OrderId,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those of this customer.
    #[arg(long, short, default_value = "", hide_default_value = true)]
    customer: String,
    /// Only those in this state, such as confirmed.
    #[arg(long, value_parser = input::order_state)]
    state: Option<pb::OrderState>,
    /// At most so many.
    #[arg(long, default_value = "20")]
    limit: NonZeroUsize,
}

#[derive(Debug, Args)]
pub struct Timeline {
    order_id: OrderId,
}

pub async fn get(args: &Get, shop: &Shop, output: Output) -> Result<(), Failure> {
    let order = fetch(&args.order_id.to_string(), shop).await?;
    let answer = pb::GetOrderResponse { order: Some(order) };
    output.message(&answer, |answer| view::order_of(answer.order.as_ref()))
}

pub async fn fetch(order_id: &str, shop: &Shop) -> Result<pb::Order, Failure> {
    let request = pb::GetOrderRequest {
        order_id: order_id.to_owned(),
    };
    let answer = shop.orders.ask(request, |mut client, request| async move {
        client.get_order(request).await
    });
    let order = answer.await?.order;
    order.ok_or_else(|| Failure::Internal("order-service answered without an order".to_owned()))
}

pub async fn list(args: &List, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListOrdersResponse::default();
    loop {
        let left = args.limit.get().saturating_sub(all.orders.len());
        let request = pb::ListOrdersRequest {
            customer_id: args.customer.clone(),
            state: args.state.unwrap_or_default().into(),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop.orders.ask(request, |mut client, request| async move {
            client.list_orders(request).await
        });
        let page = page.await?;
        all.orders.extend(page.orders);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.orders.len() >= args.limit.get() {
            break;
        }
    }
    output.message(&all, |all| view::orders(&all.orders))
}

pub async fn timeline(args: &Timeline, shop: &Shop, output: Output) -> Result<(), Failure> {
    let story = timeline::fetch(&args.order_id.to_string(), shop).await?;
    output.message(&story, timeline::tell)
}
