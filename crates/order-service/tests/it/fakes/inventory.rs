//! A small, strict inventory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use api::inventory::v1 as pb;
use pb::inventory_service_server::InventoryService;
use pb::{ReservationState as State, batch_reservation_result::Outcome};
use rpc::{Problem, Reason};
use tonic::{Request, Response, Status};

use super::faults::Faults;
use super::keys::{Keys, key_of};
use super::unused;

#[derive(Default)]
struct Item {
    on_hand: i64,
    price: Option<(i64, String)>,
}

#[derive(Clone)]
struct Held {
    state: State,
    lines: BTreeMap<String, i64>,
    shipped: BTreeMap<String, i64>,
}

#[derive(Default)]
struct Books {
    items: HashMap<String, Item>,
    orders: HashMap<String, Held>,
    done: HashSet<String>,
    keys: Keys,
}

#[derive(Default)]
pub struct Stock(Mutex<Books>);

impl Stock {
    pub fn item(&self, sku: &str, on_hand: i64, price: Option<(i64, &str)>) {
        let price = price.map(|(minor, currency)| (minor, currency.to_owned()));
        let item = Item { on_hand, price };
        self.0.lock().unwrap().items.insert(sku.to_owned(), item);
    }

    pub fn available(&self, sku: &str) -> i64 {
        self.0.lock().unwrap().available(sku)
    }

    pub fn on_hand(&self, sku: &str) -> i64 {
        self.0.lock().unwrap().items[sku].on_hand
    }

    pub fn state(&self, order: &str) -> Option<State> {
        self.0
            .lock()
            .unwrap()
            .orders
            .get(order)
            .map(|held| held.state)
    }

    /// As if the hold had run out.
    pub fn expire(&self, order: &str) -> bool {
        let mut books = self.0.lock().unwrap();
        match books.orders.get_mut(order) {
            Some(held) if held.state == State::Held => {
                held.state = State::Expired;
                true
            }
            _ => false,
        }
    }
}

impl Books {
    fn available(&self, sku: &str) -> i64 {
        let promised: i64 = self
            .orders
            .values()
            .filter(|held| matches!(held.state, State::Held | State::Committed))
            .map(|held| {
                let lines = held.lines.get(sku).copied().unwrap_or(0);
                lines - held.shipped.get(sku).copied().unwrap_or(0)
            })
            .sum();
        self.items.get(sku).map_or(0, |item| item.on_hand) - promised
    }

    fn reserve(&mut self, request: &pb::ReserveRequest) -> Result<pb::Reservation, Problem> {
        let mut lines = BTreeMap::new();
        for line in &request.lines {
            *lines.entry(line.sku.clone()).or_insert(0) += line.quantity;
        }
        match self.orders.get(&request.order_id) {
            Some(held) if matches!(held.state, State::Released | State::Tombstone) => {
                return Err(Problem::new(Reason::ReservationReleased, "released"));
            }
            Some(held) if held.lines != lines => {
                return Err(Problem::new(Reason::ReservationDiffers, "other lines"));
            }
            Some(held) if held.state != State::Expired => {
                return Ok(self.show(&request.order_id));
            }
            _ => {}
        }
        if let Some(sku) = lines.keys().find(|sku| !self.items.contains_key(*sku)) {
            return Err(Problem::new(Reason::UnknownSku, format!("unknown: {sku}")));
        }
        let short = lines
            .iter()
            .find(|(sku, units)| self.available(sku) < **units);
        if let Some((sku, units)) = short {
            let there = self.available(sku);
            return Err(Problem::new(Reason::OutOfStock, "not enough stock")
                .with_metadata(format!("short.{sku}"), format!("{units}/{there}"))
                .with_precondition(
                    "STOCK",
                    sku,
                    format!("requested {units}, available {there}"),
                ));
        }
        let held = Held {
            state: State::Held,
            lines,
            shipped: BTreeMap::new(),
        };
        self.orders.insert(request.order_id.clone(), held);
        Ok(self.show(&request.order_id))
    }

    fn commit(&mut self, order: &str) -> Result<pb::Reservation, Problem> {
        match self.orders.get_mut(order) {
            Some(held) if matches!(held.state, State::Held | State::Committed) => {
                held.state = State::Committed;
            }
            Some(held) if held.state == State::Expired => {
                return Err(Problem::new(Reason::ReservationExpired, "expired"));
            }
            Some(_) => return Err(Problem::new(Reason::ReservationReleased, "released")),
            None => return Err(Problem::not_found("reservation", order)),
        }
        Ok(self.show(order))
    }

    fn release(&mut self, order: &str) -> Result<pb::Reservation, Problem> {
        match self.orders.get_mut(order) {
            Some(held) if held.shipped.values().any(|units| *units > 0) => {
                return Err(Problem::new(
                    Reason::IllegalTransition,
                    "goods have shipped",
                ));
            }
            Some(held) if held.state == State::Tombstone => {}
            Some(held) => held.state = State::Released,
            None => {
                let tombstone = Held {
                    state: State::Tombstone,
                    lines: BTreeMap::new(),
                    shipped: BTreeMap::new(),
                };
                self.orders.insert(order.to_owned(), tombstone);
            }
        }
        Ok(self.show(order))
    }

    fn fulfill(&mut self, request: &pb::FulfillRequest) -> Result<pb::Reservation, Problem> {
        let order = &request.order_id;
        if self.done.contains(&request.fulfillment_id) {
            return Ok(self.show(order));
        }
        let held = self
            .orders
            .get_mut(order)
            .filter(|held| held.state == State::Committed);
        let held = held.ok_or_else(|| Problem::new(Reason::IllegalTransition, "not committed"))?;
        for line in &request.lines {
            let left = held.lines.get(&line.sku).copied().unwrap_or(0)
                - held.shipped.get(&line.sku).copied().unwrap_or(0);
            if line.quantity > left {
                return Err(Problem::new(Reason::ExceedsRemaining, "more than is left"));
            }
        }
        for line in &request.lines {
            *held.shipped.entry(line.sku.clone()).or_insert(0) += line.quantity;
            self.items.get_mut(&line.sku).unwrap().on_hand -= line.quantity;
        }
        if held.shipped == held.lines {
            held.state = State::Fulfilled;
        }
        self.done.insert(request.fulfillment_id.clone());
        Ok(self.show(order))
    }

    fn restock(&mut self, request: &pb::ReturnToStockRequest) -> pb::Reservation {
        if self.done.insert(request.return_id.clone()) {
            for line in &request.lines {
                self.items.get_mut(&line.sku).unwrap().on_hand += line.quantity;
            }
        }
        self.show(&request.order_id)
    }

    fn show(&self, order: &str) -> pb::Reservation {
        let held = &self.orders[order];
        let lines = held.lines.iter().map(|(sku, quantity)| pb::ReservedLine {
            sku: sku.clone(),
            quantity: *quantity,
            list_price: self.items[sku].price.as_ref().map(|(minor, currency)| {
                api::common::v1::Money {
                    minor_units: *minor,
                    currency_code: currency.clone(),
                }
            }),
            ..Default::default()
        });
        pb::Reservation {
            order_id: order.to_owned(),
            state: held.state as i32,
            lines: lines.collect(),
            ..Default::default()
        }
    }
}

#[derive(Clone)]
pub struct Inventory {
    stock: Arc<Stock>,
    faults: Arc<Faults>,
}

impl Inventory {
    pub fn new(stock: Arc<Stock>, faults: Arc<Faults>) -> Self {
        Self { stock, faults }
    }

    async fn keyed<Q: prost::Message>(
        &self,
        method: &'static str,
        key: &str,
        request: &Q,
        act: impl Fn(&mut Books) -> Result<pb::Reservation, Problem> + Send + Sync,
    ) -> Result<pb::Reservation, Problem> {
        let acted = self.faults.around(method, key, || {
            let mut books = self.stock.0.lock().unwrap();
            if let Some(kept) = books.keys.find(method, key, request) {
                return kept;
            }
            let answer = act(&mut books);
            books.keys.keep(method, key, request, &answer);
            answer
        });
        acted.await
    }
}

fn result(answer: Result<pb::Reservation, Problem>) -> pb::BatchReservationResult {
    pb::BatchReservationResult {
        outcome: Some(match answer {
            Ok(reservation) => Outcome::Reservation(reservation),
            Err(problem) => Outcome::Error(problem.to_pb()),
        }),
    }
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn batch_reserve(
        &self,
        request: Request<pb::BatchReserveRequest>,
    ) -> Result<Response<pb::BatchReserveResponse>, Status> {
        let mut results = Vec::new();
        for item in request.into_inner().items {
            let asked = item.request.unwrap();
            let act = |books: &mut Books| books.reserve(&asked);
            let key = &item.idempotency_key;
            results.push(result(self.keyed("Reserve", key, &asked, act).await));
        }
        Ok(Response::new(pb::BatchReserveResponse { results }))
    }

    async fn batch_commit(
        &self,
        request: Request<pb::BatchCommitRequest>,
    ) -> Result<Response<pb::BatchCommitResponse>, Status> {
        let mut results = Vec::new();
        for item in request.into_inner().items {
            let asked = item.request.unwrap();
            let act = |books: &mut Books| books.commit(&asked.order_id);
            let key = &item.idempotency_key;
            results.push(result(self.keyed("Commit", key, &asked, act).await));
        }
        Ok(Response::new(pb::BatchCommitResponse { results }))
    }

    async fn batch_release(
        &self,
        request: Request<pb::BatchReleaseRequest>,
    ) -> Result<Response<pb::BatchReleaseResponse>, Status> {
        let mut results = Vec::new();
        for item in request.into_inner().items {
            let asked = item.request.unwrap();
            let act = |books: &mut Books| books.release(&asked.order_id);
            let key = &item.idempotency_key;
            results.push(result(self.keyed("Release", key, &asked, act).await));
        }
        Ok(Response::new(pb::BatchReleaseResponse { results }))
    }

    async fn fulfill(
        &self,
        request: Request<pb::FulfillRequest>,
    ) -> Result<Response<pb::FulfillResponse>, Status> {
        let key = key_of(&request);
        let asked = request.into_inner();
        let act = |books: &mut Books| books.fulfill(&asked);
        let reservation = Some(self.keyed("Fulfill", &key, &asked, act).await?);
        Ok(Response::new(pb::FulfillResponse { reservation }))
    }

    async fn return_to_stock(
        &self,
        request: Request<pb::ReturnToStockRequest>,
    ) -> Result<Response<pb::ReturnToStockResponse>, Status> {
        let key = key_of(&request);
        let asked = request.into_inner();
        let act = |books: &mut Books| Ok(books.restock(&asked));
        let reservation = Some(self.keyed("ReturnToStock", &key, &asked, act).await?);
        Ok(Response::new(pb::ReturnToStockResponse { reservation }))
    }

    type WatchStockStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<pb::WatchStockResponse, Status>> + Send>>;

    async fn watch_stock(
        &self,
        _: Request<pb::WatchStockRequest>,
    ) -> Result<Response<Self::WatchStockStream>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    unused! {
        check_availability: CheckAvailabilityRequest => CheckAvailabilityResponse,
        reserve: ReserveRequest => ReserveResponse,
        commit: CommitRequest => CommitResponse,
        release: ReleaseRequest => ReleaseResponse,
        extend: ExtendRequest => ExtendResponse,
        get_reservation: GetReservationRequest => GetReservationResponse,
        list_reservations: ListReservationsRequest => ListReservationsResponse,
        adjust_stock: AdjustStockRequest => AdjustStockResponse,
        set_stock: SetStockRequest => SetStockResponse,
        transfer_stock: TransferStockRequest => TransferStockResponse,
        get_stock: GetStockRequest => GetStockResponse,
        list_stock: ListStockRequest => ListStockResponse,
        list_movements: ListMovementsRequest => ListMovementsResponse,
        upsert_item: UpsertItemRequest => UpsertItemResponse,
        batch_upsert_items: BatchUpsertItemsRequest => BatchUpsertItemsResponse,
        upsert_location: UpsertLocationRequest => UpsertLocationResponse,
        list_locations: ListLocationsRequest => ListLocationsResponse,
    }
}
