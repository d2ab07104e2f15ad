//! Handlers of the contract that answer from constants, and keep the last
//! request.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use api::common::v1::Money;
use api::inventory::v1::{
    self as pb,
    inventory_service_server::{InventoryService, InventoryServiceServer},
    watch_stock_response::Event,
};
use tokio_stream::Stream;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap, service::Routes};
use tonic_types::{ErrorDetails, StatusExt};

pub const ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// The last request as text, and its metadata.
pub type Asked = Arc<Mutex<Option<(String, MetadataMap)>>>;

#[derive(Clone)]
pub struct Inventory(Asked);

impl Inventory {
    pub fn routes(asked: Asked) -> Routes {
        Routes::new(InventoryServiceServer::new(Self(asked)))
    }

    fn note<T: std::fmt::Debug>(&self, request: &Request<T>) {
        let text = format!("{:?}", request.get_ref());
        *self.0.lock().unwrap() = Some((text, request.metadata().clone()));
    }
}

fn reservation(order_id: String) -> pb::Reservation {
    pb::Reservation {
        order_id,
        state: pb::ReservationState::Held as i32,
        lines: vec![pb::ReservedLine {
            sku: "MUG-BLUE".to_owned(),
            quantity: 9_007_199_254_740_993,
            ..Default::default()
        }],
        expire_time: Some(prost_types::Timestamp {
            seconds: 1_767_225_600,
            nanos: 500_000_000,
        }),
        create_time: None,
        etag: "3".to_owned(),
    }
}

fn refusal(code: Code, reason: &str, mut details: ErrorDetails) -> Status {
    details.set_error_info(reason, "cartwright", [("hint".to_owned(), "x".to_owned())]);
    Status::with_error_details(code, "it cannot be done", details)
}

fn level(sku: String, location_id: String) -> pb::StockLevel {
    pb::StockLevel {
        sku,
        location_id,
        on_hand: 5,
        etag: "7".to_owned(),
        ..Default::default()
    }
}

type Answer<T> = Result<Response<T>, Status>;

macro_rules! not_needed {
    ($($name:ident: $request:ident => $response:ident;)*) => {
        $(fn $name<'a, 'b>(
            &'a self,
            _: Request<pb::$request>,
        ) -> Pin<Box<dyn Future<Output = Answer<pb::$response>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented("")) })
        })*
    };
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    type WatchStockStream =
        Pin<Box<dyn Stream<Item = Result<pb::WatchStockResponse, Status>> + Send>>;

    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Answer<pb::ReserveResponse> {
        self.note(&request);
        let reservation = reservation(request.into_inner().order_id);
        let mut answer = Response::new(pb::ReserveResponse {
            reservation: Some(reservation),
        });
        let yes = "true".parse().unwrap();
        answer.metadata_mut().insert("idempotent-replayed", yes);
        Ok(answer)
    }

    async fn batch_reserve(
        &self,
        request: Request<pb::BatchReserveRequest>,
    ) -> Answer<pb::BatchReserveResponse> {
        self.note(&request);
        let mut details = ErrorDetails::new();
        details.add_precondition_failure_violation("STOCK", "MUG-BLUE", "too few");
        let status = refusal(Code::FailedPrecondition, "OUT_OF_STOCK", details);
        let status = prost::Message::decode(status.details()).unwrap();
        let outcomes = [
            pb::batch_reservation_result::Outcome::Reservation(reservation(ORDER.to_owned())),
            pb::batch_reservation_result::Outcome::Error(status),
        ];
        let results = outcomes.map(|outcome| pb::BatchReservationResult {
            outcome: Some(outcome),
        });
        Ok(Response::new(pb::BatchReserveResponse {
            results: results.to_vec(),
        }))
    }

    /// The order id says how it goes wrong.
    async fn commit(&self, request: Request<pb::CommitRequest>) -> Answer<pb::CommitResponse> {
        self.note(&request);
        let reason = request.into_inner().order_id;
        let code = match reason.as_str() {
            "OUT_OF_STOCK" => Code::FailedPrecondition,
            "UNAUTHENTICATED" => Code::Unauthenticated,
            "ETAG_MISMATCH" => Code::Aborted,
            "framework" => return Err(Status::internal("h2 protocol error in 10.0.0.7")),
            _ => Code::Unavailable,
        };
        let mut details = ErrorDetails::new();
        details.set_retry_info(Some(std::time::Duration::from_millis(1_200)));
        details.add_precondition_failure_violation("STOCK", "MUG-BLUE", "too few");
        details.set_resource_info("order", "7", "", "");
        Err(refusal(code, &reason, details))
    }

    async fn list_stock(
        &self,
        request: Request<pb::ListStockRequest>,
    ) -> Answer<pb::ListStockResponse> {
        self.note(&request);
        Ok(Response::new(pb::ListStockResponse::default()))
    }

    async fn list_reservations(
        &self,
        request: Request<pb::ListReservationsRequest>,
    ) -> Answer<pb::ListReservationsResponse> {
        self.note(&request);
        Ok(Response::new(pb::ListReservationsResponse::default()))
    }

    async fn get_stock(
        &self,
        request: Request<pb::GetStockRequest>,
    ) -> Answer<pb::GetStockResponse> {
        self.note(&request);
        let sku = request.into_inner().sku;
        Ok(Response::new(pb::GetStockResponse {
            item: Some(pb::Item {
                sku: sku.clone(),
                list_price: Some(Money {
                    minor_units: -950,
                    currency_code: "GBP".to_owned(),
                }),
                stock_tracked: Some(false),
                etag: "1".to_owned(),
                ..Default::default()
            }),
            levels: vec![level(sku, "main".to_owned())],
            available: 5,
        }))
    }

    async fn set_stock(
        &self,
        request: Request<pb::SetStockRequest>,
    ) -> Answer<pb::SetStockResponse> {
        self.note(&request);
        let request = request.into_inner();
        Ok(Response::new(pb::SetStockResponse {
            level: Some(level(request.sku, request.location_id)),
            shortfall_order_ids: Vec::new(),
        }))
    }

    async fn upsert_item(
        &self,
        request: Request<pb::UpsertItemRequest>,
    ) -> Answer<pb::UpsertItemResponse> {
        self.note(&request);
        let item = request.into_inner().item;
        Ok(Response::new(pb::UpsertItemResponse { item }))
    }

    async fn watch_stock(
        &self,
        request: Request<pb::WatchStockRequest>,
    ) -> Answer<Self::WatchStockStream> {
        self.note(&request);
        let request = request.into_inner();
        let movement = pb::StockMovement {
            sequence: request.after_sequence.unwrap_or_default() + 1,
            sku: "MUG-BLUE".to_owned(),
            ..Default::default()
        };
        let events = [Event::Movement(movement), Event::HeartbeatSequence(9)];
        let events = events.map(|event| Ok(pb::WatchStockResponse { event: Some(event) }));
        let ends = request.skus.iter().any(|sku| sku == "END");
        let end = ends.then(|| {
            Err(refusal(
                Code::Unavailable,
                "UNAVAILABLE",
                ErrorDetails::new(),
            ))
        });
        let first = tokio_stream::iter(events.into_iter().chain(end));
        if ends {
            return Ok(Response::new(Box::pin(first)));
        }
        let never = futures::stream::pending();
        Ok(Response::new(Box::pin(futures::StreamExt::chain(
            first, never,
        ))))
    }

    not_needed! {
        check_availability: CheckAvailabilityRequest => CheckAvailabilityResponse;
        batch_commit: BatchCommitRequest => BatchCommitResponse;
        release: ReleaseRequest => ReleaseResponse;
        batch_release: BatchReleaseRequest => BatchReleaseResponse;
        extend: ExtendRequest => ExtendResponse;
        fulfill: FulfillRequest => FulfillResponse;
        get_reservation: GetReservationRequest => GetReservationResponse;
        adjust_stock: AdjustStockRequest => AdjustStockResponse;
        transfer_stock: TransferStockRequest => TransferStockResponse;
        return_to_stock: ReturnToStockRequest => ReturnToStockResponse;
        list_movements: ListMovementsRequest => ListMovementsResponse;
        batch_upsert_items: BatchUpsertItemsRequest => BatchUpsertItemsResponse;
        upsert_location: UpsertLocationRequest => UpsertLocationResponse;
        list_locations: ListLocationsRequest => ListLocationsResponse;
    }
}
