//! OrderService.

use std::collections::HashMap;

use api::order::v1 as pb;
use chrono::{DateTime, Utc};
use pb::order_service_server::OrderService;
use rpc::{Context, Problem};
use tonic::{Request, Response, Status};
use types::OrderId;
use uuid::Uuid;

use super::reach::reach;
use super::{Api, parse, render, watch};
use crate::app::method;
use crate::domain::Order;
use crate::wire;

/// A place in a list by time; what a page token holds.
pub(super) type Cursor = (DateTime<Utc>, Uuid);

/// Cuts the one row too many that tells whether there is a next page.
pub(super) fn page<T>(
    rows: &mut Vec<T>,
    size: i64,
    place: impl Fn(&T) -> Cursor,
) -> Option<Cursor> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return None;
    }
    rows.truncate(size);
    rows.last().map(place)
}

pub(super) fn place(order: &Order) -> Cursor {
    (order.created_at, order.id.as_uuid())
}

/// Runs a mutating verb on a task of its own and sends what is stored.
macro_rules! mutate {
    ($api:ident, $context:ident, $act:expr) => {{
        let app = $api.app.clone();
        let settled = $api.tasks.run(&$context, async move {
            let act = $act;
            act(app).await.map_err(Problem::from)
        });
        render::settled(settled.await?)
    }};
}
pub(super) use mutate;

#[tonic::async_trait]
impl OrderService for Api {
    async fn create_order(
        &self,
        request: Request<pb::CreateOrderRequest>,
    ) -> Result<Response<pb::CreateOrderResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::CREATE_ORDER, &message)?;
        let input = parse::create_order(&message, &context.caller)?;
        let deadline = context.deadline;
        mutate!(self, context, async |app: crate::app::App| {
            app.create_order(key, input, deadline).await
        })
    }

    async fn cancel_order(
        &self,
        request: Request<pb::CancelOrderRequest>,
    ) -> Result<Response<pb::CancelOrderResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::CANCEL_ORDER, &message)?;
        let input = parse::cancel_order(&message, &context.caller)?;
        let deadline = context.deadline;
        mutate!(self, context, async |app: crate::app::App| {
            app.cancel_order(key, input, deadline).await
        })
    }

    async fn create_fulfillment(
        &self,
        request: Request<pb::CreateFulfillmentRequest>,
    ) -> Result<Response<pb::CreateFulfillmentResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::CREATE_FULFILLMENT, &message)?;
        let input = parse::create_fulfillment(&message, &context.caller)?;
        let deadline = context.deadline;
        mutate!(self, context, async |app: crate::app::App| {
            app.create_fulfillment(key, input, deadline).await
        })
    }

    async fn create_return(
        &self,
        request: Request<pb::CreateReturnRequest>,
    ) -> Result<Response<pb::CreateReturnResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::CREATE_RETURN, &message)?;
        let input = parse::create_return(&message, &context.caller)?;
        mutate!(self, context, async |app: crate::app::App| {
            app.create_return(key, input).await
        })
    }

    async fn receive_return(
        &self,
        request: Request<pb::ReceiveReturnRequest>,
    ) -> Result<Response<pb::ReceiveReturnResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::RECEIVE_RETURN, &message)?;
        let input = parse::receive_return(&message, &context.caller)?;
        let deadline = context.deadline;
        mutate!(self, context, async |app: crate::app::App| {
            app.receive_return(key, input, deadline).await
        })
    }

    async fn refund_order(
        &self,
        request: Request<pb::RefundOrderRequest>,
    ) -> Result<Response<pb::RefundOrderResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::REFUND_ORDER, &message)?;
        let input = parse::refund_order(&message, &context.caller)?;
        let deadline = context.deadline;
        mutate!(self, context, async |app: crate::app::App| {
            app.refund_order(key, input, deadline).await
        })
    }

    async fn get_order(
        &self,
        request: Request<pb::GetOrderRequest>,
    ) -> Result<Response<pb::GetOrderResponse>, Status> {
        let reach = reach(&Context::of(&request)?.caller);
        let id = parse::order_id(&request.get_ref().order_id)?;
        let found = self.app.get_order(id, &reach).await;
        let order = found.map_err(Problem::from)?;
        let order = Some(wire::order(&order));
        Ok(Response::new(pb::GetOrderResponse { order }))
    }

    async fn batch_get_orders(
        &self,
        request: Request<pb::BatchGetOrdersRequest>,
    ) -> Result<Response<pb::BatchGetOrdersResponse>, Status> {
        let reach = reach(&Context::of(&request)?.caller);
        let ids = parse::order_ids(&request.get_ref().order_ids)?;
        let found = self.app.get_orders(&ids, &reach).await;
        let found = found.map_err(Problem::from)?;
        Ok(Response::new(in_order(&ids, &found)))
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.get_ref();
        let filter = parse::list_orders(message, &context.caller)?;
        let size = self.pages.size(message.page_size)?;
        let whose = filter.customer_id.as_deref().unwrap_or_default();
        let list = format!("orders|{whose}|{}", message.state);
        let after = self.pages.decode::<Cursor>(&list, &message.page_token)?;
        let listed = self.app.list_orders(&filter, after, size + 1).await;
        let mut orders = listed.map_err(Problem::from)?;
        let next = page(&mut orders, size, place);
        Ok(Response::new(pb::ListOrdersResponse {
            orders: orders.iter().map(wire::order).collect(),
            next_page_token: next.map_or_else(String::new, |at| self.pages.encode(&list, &at)),
        }))
    }

    async fn list_fulfillments(
        &self,
        request: Request<pb::ListFulfillmentsRequest>,
    ) -> Result<Response<pb::ListFulfillmentsResponse>, Status> {
        let reach = reach(&Context::of(&request)?.caller);
        let message = request.get_ref();
        let id = parse::order_id(&message.order_id)?;
        let size = self.pages.size(message.page_size)?;
        let list = format!("fulfillments|{id}");
        let after = self.pages.decode::<Cursor>(&list, &message.page_token)?;
        let app = &self.app;
        let listed = app.list_fulfillments(id, &reach, after, size + 1).await;
        let mut works = listed.map_err(Problem::from)?;
        let next = page(&mut works, size, |work| (work.created_at, work.id));
        Ok(Response::new(pb::ListFulfillmentsResponse {
            fulfillments: works.iter().map(wire::fulfillment).collect(),
            next_page_token: next.map_or_else(String::new, |at| self.pages.encode(&list, &at)),
        }))
    }

    async fn get_order_timeline(
        &self,
        request: Request<pb::GetOrderTimelineRequest>,
    ) -> Result<Response<pb::GetOrderTimelineResponse>, Status> {
        let reach = reach(&Context::of(&request)?.caller);
        let id = parse::order_id(&request.get_ref().order_id)?;
        let timeline = self.app.timeline(id, &reach).await;
        let timeline = timeline.map_err(Problem::from)?;
        Ok(Response::new(pb::GetOrderTimelineResponse {
            order: Some(wire::order(&timeline.order)),
            events: timeline.events.iter().map(wire::event).collect(),
            fulfillments: timeline
                .fulfillments
                .iter()
                .map(wire::fulfillment)
                .collect(),
            returns: timeline.returns.iter().map(wire::order_return).collect(),
        }))
    }

    type WatchOrderStream = watch::Watching;

    async fn watch_order(
        &self,
        request: Request<pb::WatchOrderRequest>,
    ) -> Result<Response<watch::Watching>, Status> {
        let reach = reach(&Context::of(&request)?.caller);
        let message = request.get_ref();
        let id = parse::order_id(&message.order_id)?;
        if message.after_sequence < 0 {
            return Err(Problem::invalid("after_sequence", "must be 0 or more").into());
        }
        let found = self.app.get_order(id, &reach).await;
        found.map_err(Problem::from)?;
        let after = message.after_sequence;
        Ok(Response::new(watch::watch(self.clone(), id, after)))
    }
}

fn in_order(ids: &[OrderId], found: &[Order]) -> pb::BatchGetOrdersResponse {
    let found: HashMap<OrderId, &Order> = found.iter().map(|order| (order.id, order)).collect();
    let mut response = pb::BatchGetOrdersResponse::default();
    for id in ids {
        match found.get(id) {
            Some(order) => response.orders.push(wire::order(order)),
            None => response.not_found_ids.push(id.to_string()),
        }
    }
    response
}
