//! InventoryService.

use api::inventory::v1::{self as pb, inventory_service_server::InventoryService};
use chrono::{DateTime, Utc};
use rpc::{Context, Problem, Reason};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    Api,
    batch::{self, Item},
    parse, parse_stock as stock, render, watch,
};
use crate::{app, domain::Reservation};

type Answer<T> = Result<Response<T>, Status>;

/// Cuts the row that was read beyond the page; gives whether there was one.
fn cut<T>(rows: &mut Vec<T>, size: i64) -> bool {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let is_more = rows.len() > size;
    rows.truncate(size);
    is_more
}

/// Lines on a page of reservations, so that no page outgrows a message.
const PAGE_LINES_MAX: usize = 20_000;

/// At most `size`, and as many as `PAGE_LINES_MAX` allows, but one at least.
fn page_rows(page: &[Reservation], size: i64) -> i64 {
    let mut lines = 0;
    let within = page.iter().take_while(|reservation| {
        lines += reservation.lines.len();
        lines <= PAGE_LINES_MAX
    });
    i64::try_from(within.count()).map_or(size, |rows| rows.clamp(1, size))
}

macro_rules! items {
    ($request:expr) => {
        $request
            .items
            .iter()
            .map(|item| Item {
                key: &item.idempotency_key,
                request: item.request.as_ref(),
                traceparent: &item.traceparent,
            })
            .collect()
    };
}

#[tonic::async_trait]
impl InventoryService for Api {
    async fn check_availability(
        &self,
        request: Request<pb::CheckAvailabilityRequest>,
    ) -> Answer<pb::CheckAvailabilityResponse> {
        Context::of(&request)?;
        let demand = parse::check_availability(request.get_ref())?;
        let found = self.app.check_availability(&demand).await;
        Ok(Response::new(render::availability(
            &found.map_err(Problem::from)?,
        )))
    }

    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Answer<pb::ReserveResponse> {
        let act = |app: app::App, call| async move { app.reserve(call).await };
        self.mutate("Reserve", request, parse::reserve, act).await
    }

    async fn batch_reserve(
        &self,
        request: Request<pb::BatchReserveRequest>,
    ) -> Answer<pb::BatchReserveResponse> {
        let (context, request) = (Context::of(&request)?, request.into_inner());
        let lines = request
            .items
            .iter()
            .filter_map(|item| item.request.as_ref());
        let lines = lines.map(|request| request.lines.len()).sum();
        batch::check_size(request.items.len(), lines)?;
        batch::check_time(&context)?;
        let calls = batch::calls(&context, "Reserve", items!(request), parse::reserve);
        let app = self.app.clone();
        let work = async move {
            let act = |calls| async move { app.batch_reserve(calls).await };
            Ok(batch::act(calls, act).await)
        };
        let results = self.tasks.run(&context, work).await?;
        Ok(Response::new(pb::BatchReserveResponse { results }))
    }

    async fn commit(&self, request: Request<pb::CommitRequest>) -> Answer<pb::CommitResponse> {
        let act = |app: app::App, call| async move { app.commit(call).await };
        self.mutate("Commit", request, parse::commit, act).await
    }

    async fn batch_commit(
        &self,
        request: Request<pb::BatchCommitRequest>,
    ) -> Answer<pb::BatchCommitResponse> {
        let (context, request) = (Context::of(&request)?, request.into_inner());
        batch::check_size(request.items.len(), 0)?;
        batch::check_time(&context)?;
        let calls = batch::calls(&context, "Commit", items!(request), parse::commit);
        let app = self.app.clone();
        let work = async move {
            let act = |calls| async move { app.batch_commit(calls).await };
            Ok(batch::act(calls, act).await)
        };
        let results = self.tasks.run(&context, work).await?;
        Ok(Response::new(pb::BatchCommitResponse { results }))
    }

    async fn release(&self, request: Request<pb::ReleaseRequest>) -> Answer<pb::ReleaseResponse> {
        let act = |app: app::App, call| async move { app.release(call).await };
        self.mutate("Release", request, parse::release, act).await
    }

    async fn batch_release(
        &self,
        request: Request<pb::BatchReleaseRequest>,
    ) -> Answer<pb::BatchReleaseResponse> {
        let (context, request) = (Context::of(&request)?, request.into_inner());
        batch::check_size(request.items.len(), 0)?;
        batch::check_time(&context)?;
        let calls = batch::calls(&context, "Release", items!(request), parse::release);
        let app = self.app.clone();
        let work = async move {
            let act = |calls| async move { app.batch_release(calls).await };
            Ok(batch::act(calls, act).await)
        };
        let results = self.tasks.run(&context, work).await?;
        Ok(Response::new(pb::BatchReleaseResponse { results }))
    }

    async fn extend(&self, request: Request<pb::ExtendRequest>) -> Answer<pb::ExtendResponse> {
        let act = |app: app::App, call| async move { app.extend(call).await };
        self.mutate("Extend", request, parse::extend, act).await
    }

    async fn fulfill(&self, request: Request<pb::FulfillRequest>) -> Answer<pb::FulfillResponse> {
        let act = |app: app::App, call| async move { app.fulfill(call).await };
        self.mutate("Fulfill", request, parse::fulfill, act).await
    }

    async fn get_reservation(
        &self,
        request: Request<pb::GetReservationRequest>,
    ) -> Answer<pb::GetReservationResponse> {
        Context::of(&request)?;
        let order_id = parse::get_reservation(request.get_ref())?;
        let found = self.app.get_reservation(order_id).await;
        Ok(Response::new(pb::GetReservationResponse {
            reservation: Some(render::reservation(&found.map_err(Problem::from)?)),
        }))
    }

    async fn list_reservations(
        &self,
        request: Request<pb::ListReservationsRequest>,
    ) -> Answer<pb::ListReservationsResponse> {
        Context::of(&request)?;
        let request = request.get_ref();
        let filter = parse::list_reservations(request)?;
        let size = self.pages.size(request.page_size)?;
        let list = format!("reservations {filter:?}");
        let before: Option<(DateTime<Utc>, Uuid)> =
            self.pages.decode(&list, &request.page_token)?;
        let page = self.app.list_reservations(&filter, before, size + 1).await;
        let mut page = page.map_err(Problem::from)?;
        let rows = page_rows(&page, size);
        let is_more = cut(&mut page, rows);
        let last = page.last().filter(|_| is_more);
        let next = last.map(|last| (last.created_at, last.order_id.as_uuid()));
        Ok(Response::new(pb::ListReservationsResponse {
            reservations: page.iter().map(render::reservation).collect(),
            next_page_token: next.map_or_else(String::new, |next| self.pages.encode(&list, &next)),
        }))
    }

    async fn adjust_stock(
        &self,
        request: Request<pb::AdjustStockRequest>,
    ) -> Answer<pb::AdjustStockResponse> {
        let act = |app: app::App, call| async move { app.adjust_stock(call).await };
        self.mutate("AdjustStock", request, stock::adjust_stock, act)
            .await
    }

    async fn set_stock(
        &self,
        request: Request<pb::SetStockRequest>,
    ) -> Answer<pb::SetStockResponse> {
        let act = |app: app::App, call| async move { app.set_stock(call).await };
        self.mutate("SetStock", request, stock::set_stock, act)
            .await
    }

    async fn transfer_stock(
        &self,
        request: Request<pb::TransferStockRequest>,
    ) -> Answer<pb::TransferStockResponse> {
        let act = |app: app::App, call| async move { app.transfer_stock(call).await };
        self.mutate("TransferStock", request, stock::transfer_stock, act)
            .await
    }

    async fn return_to_stock(
        &self,
        request: Request<pb::ReturnToStockRequest>,
    ) -> Answer<pb::ReturnToStockResponse> {
        let act = |app: app::App, call| async move { app.return_to_stock(call).await };
        self.mutate("ReturnToStock", request, parse::return_to_stock, act)
            .await
    }

    async fn get_stock(
        &self,
        request: Request<pb::GetStockRequest>,
    ) -> Answer<pb::GetStockResponse> {
        Context::of(&request)?;
        let sku = stock::sku(&request.get_ref().sku)?;
        let found = self.app.get_stock(&sku).await.map_err(Problem::from)?;
        Ok(Response::new(render::stock(&found)))
    }

    async fn list_stock(
        &self,
        request: Request<pb::ListStockRequest>,
    ) -> Answer<pb::ListStockResponse> {
        Context::of(&request)?;
        let request = request.get_ref();
        let filter = stock::list_stock(request)?;
        let size = self.pages.size(request.page_size)?;
        let list = format!("stock {filter:?}");
        let after: Option<(String, String)> = self.pages.decode(&list, &request.page_token)?;
        let after = after.as_ref().map(|(sku, at)| (sku.as_str(), at.as_str()));
        let page = self.app.list_stock(&filter, after, size + 1).await;
        let mut page = page.map_err(Problem::from)?;
        let is_more = cut(&mut page, size);
        let next = page.last().filter(|_| is_more).map(|last| last.spot());
        Ok(Response::new(pb::ListStockResponse {
            levels: page.iter().map(render::level).collect(),
            next_page_token: next.map_or_else(String::new, |next| self.pages.encode(&list, &next)),
        }))
    }

    async fn list_movements(
        &self,
        request: Request<pb::ListMovementsRequest>,
    ) -> Answer<pb::ListMovementsResponse> {
        Context::of(&request)?;
        let request = request.get_ref();
        let sku = stock::sku(&request.sku)?;
        let size = self.pages.size(request.page_size)?;
        let list = format!("movements {sku:?}");
        let after: Option<i64> = self.pages.decode(&list, &request.page_token)?;
        let page = self.app.list_movements(&sku, after.unwrap_or(0), size + 1);
        let mut page = page.await.map_err(Problem::from)?;
        let is_more = cut(&mut page, size);
        let next = page.last().filter(|_| is_more).map(|last| last.sequence);
        Ok(Response::new(pb::ListMovementsResponse {
            movements: page.iter().map(render::movement).collect(),
            next_page_token: next.map_or_else(String::new, |next| self.pages.encode(&list, &next)),
        }))
    }

    type WatchStockStream = ReceiverStream<Result<pb::WatchStockResponse, Status>>;

    async fn watch_stock(
        &self,
        request: Request<pb::WatchStockRequest>,
    ) -> Answer<Self::WatchStockStream> {
        Context::of(&request)?;
        let (skus, after) = stock::watch_stock(request.get_ref())?;
        let terms = self.watching.clone();
        let place = terms.places.clone().try_acquire_owned();
        let full = |_| Problem::new(Reason::Overloaded, "too many streams are open");
        let place = place.map_err(full)?;
        let watch = self.app.watch_stock(skus, after).await;
        let watch = watch.map_err(Problem::from)?;
        let (to, messages) = mpsc::channel(watch::QUEUED_MAX);
        let following = watch::follow(self.app.clone(), watch, terms, to, place);
        tokio::spawn(following.in_current_span());
        Ok(Response::new(ReceiverStream::new(messages)))
    }

    async fn upsert_item(
        &self,
        request: Request<pb::UpsertItemRequest>,
    ) -> Answer<pb::UpsertItemResponse> {
        let act = |app: app::App, call| async move { app.upsert_item(call).await };
        self.mutate("UpsertItem", request, stock::upsert_item, act)
            .await
    }

    async fn batch_upsert_items(
        &self,
        request: Request<pb::BatchUpsertItemsRequest>,
    ) -> Answer<pb::BatchUpsertItemsResponse> {
        let act = |app: app::App, call| async move { app.batch_upsert_items(call).await };
        self.mutate("BatchUpsertItems", request, stock::batch_upsert_items, act)
            .await
    }

    async fn upsert_location(
        &self,
        request: Request<pb::UpsertLocationRequest>,
    ) -> Answer<pb::UpsertLocationResponse> {
        let act = |app: app::App, call| async move { app.upsert_location(call).await };
        self.mutate("UpsertLocation", request, stock::upsert_location, act)
            .await
    }

    async fn list_locations(
        &self,
        request: Request<pb::ListLocationsRequest>,
    ) -> Answer<pb::ListLocationsResponse> {
        Context::of(&request)?;
        let request = request.get_ref();
        let size = self.pages.size(request.page_size)?;
        let after: Option<(i32, String)> = self.pages.decode("locations", &request.page_token)?;
        let after = after
            .as_ref()
            .map(|(priority, id)| (*priority, id.as_str()));
        let page = self.app.list_locations(after, size + 1).await;
        let mut page = page.map_err(Problem::from)?;
        let is_more = cut(&mut page, size);
        let last = page.last().filter(|_| is_more);
        let next = last.map(|last| (last.priority, last.id.clone()));
        Ok(Response::new(pb::ListLocationsResponse {
            locations: page.iter().map(render::location).collect(),
            next_page_token: next
                .map_or_else(String::new, |next| self.pages.encode("locations", &next)),
        }))
    }
}
