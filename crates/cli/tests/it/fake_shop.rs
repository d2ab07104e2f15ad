//! A shop of one process that keeps the promises of the contract on which a
//! replay depends, loses answers when told to, and counts what it did.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use api::{inventory::v1 as inventory, order::v1 as pb, payment::v1 as payment};
use cli::shop::{Addresses, Shop};
use prost::Message;
use rpc::{Problem, Reason};
use tonic::{Request, Response, Status, body::Body};

type Answer<R> = Result<R, Status>;
/// A request and its answer.
type Kept = (Vec<u8>, Answer<Vec<u8>>);

pub struct FakeShop {
    books: Mutex<Books>,
    faults: Faults,
}

/// What goes wrong; by default nothing.
#[derive(Default)]
pub struct Faults {
    /// Every third change is carried out, and its answer lost.
    pub loses_answers: bool,
    /// Orders with this reference are a bug of the shop.
    pub breaks_on: Option<&'static str>,
    /// Orders with this reference are PENDING until they are asked for.
    pub dawdles_on: Option<&'static str>,
}

#[derive(Default)]
struct Books {
    orders: BTreeMap<String, pb::Order>,
    returns: BTreeMap<String, pb::Return>,
    stock: BTreeMap<String, i64>,
    tracked: BTreeMap<String, bool>,
    /// By method and key.
    done: HashMap<(String, String), Kept>,
    changes: u64,
    calls: u64,
}

impl FakeShop {
    /// Serves on a port of its own until the test ends.
    pub async fn open(faults: Faults) -> (Arc<Self>, Shop) {
        let books = Mutex::default();
        let fake = Arc::new(Self { books, faults });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::clone(&fake);
        let routes =
            axum::Router::new().fallback(move |request: http::Request<axum::body::Body>| {
                let fake = Arc::clone(&served);
                async move { fake.serve(request.map(Body::new)).await }
            });
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let server = tonic::transport::Server::builder()
            .add_routes(tonic::service::Routes::from(routes))
            .serve_with_incoming(incoming);
        tokio::spawn(server);
        let addresses = Addresses {
            ca: None,
            order_url: url.clone(),
            payment_url: url.clone(),
            inventory_url: url,
            timeout: Duration::from_secs(5),
        };
        (fake, Shop::new(&addresses, rpc::Token::default()).unwrap())
    }

    /// How many changes were carried out; repeats are none.
    pub fn changes(&self) -> u64 {
        self.books.lock().unwrap().changes
    }

    pub fn stock(&self) -> BTreeMap<String, i64> {
        self.books.lock().unwrap().stock.clone()
    }

    async fn serve(&self, request: http::Request<Body>) -> http::Response<Body> {
        let path = request.uri().path().to_owned();
        let (_, method) = path.rsplit_once('/').unwrap();
        match method {
            "ListOrders" => {
                read(request, |_: pb::ListOrdersRequest| {
                    pb::ListOrdersResponse::default()
                })
                .await
            }
            "ListPayments" => {
                read(request, |_: payment::ListPaymentsRequest| {
                    payment::ListPaymentsResponse::default()
                })
                .await
            }
            "ListLocations" => {
                read(request, |_: inventory::ListLocationsRequest| {
                    inventory::ListLocationsResponse::default()
                })
                .await
            }
            "RunAudit" => {
                read(request, |_: pb::RunAuditRequest| {
                    pb::RunAuditResponse::default()
                })
                .await
            }
            "GetOrder" => read(request, |asked| self.get_order(&asked)).await,
            "GetOrderTimeline" => read(request, |asked| self.timeline(&asked)).await,
            "BatchUpsertItems" => self.change(request, Self::upsert_items).await,
            "SetStock" => self.change(request, Self::set_stock).await,
            "AdjustStock" => self.change(request, Self::adjust_stock).await,
            "CreateOrder" => self.change(request, Self::create_order).await,
            "CreateFulfillment" => self.change(request, Self::fulfil).await,
            "CreateReturn" => self.change(request, Self::announce).await,
            "ReceiveReturn" => self.change(request, Self::receive).await,
            _ => Status::unimplemented(path).into_http(),
        }
    }

    /// Once for each key, as the contract says.
    async fn change<M, R>(
        &self,
        request: http::Request<Body>,
        act: fn(&Self, &mut Books, M) -> Answer<R>,
    ) -> http::Response<Body>
    where
        M: Message + Default + Clone + 'static,
        R: Message + Default + 'static,
    {
        let method = request.uri().path().to_owned();
        unary(request, |request: Request<M>| {
            let key = request.metadata().get("idempotency-key");
            let key = key
                .expect("a change has a key")
                .to_str()
                .unwrap()
                .to_owned();
            let message = request.into_inner();
            let bytes = message.encode_to_vec();
            let mut books = self.books.lock().unwrap();
            books.calls += 1;
            let known = books.done.get(&(method.clone(), key.clone())).cloned();
            let (first, answer) = known.unwrap_or_else(|| {
                let answer = act(self, &mut books, message).map(|answer| answer.encode_to_vec());
                books.changes += u64::from(answer.is_ok());
                let entry = (bytes.clone(), answer);
                books.done.insert((method.clone(), key), entry.clone());
                entry
            });
            assert_eq!(first, bytes, "one key, two requests");
            if self.faults.loses_answers && books.calls.is_multiple_of(3) {
                return Err(Problem::unavailable("lost")
                    .with_retry(Duration::from_millis(1))
                    .into());
            }
            Ok(R::decode(answer?.as_slice()).unwrap())
        })
        .await
    }

    fn get_order(&self, asked: &pb::GetOrderRequest) -> pb::GetOrderResponse {
        let mut books = self.books.lock().unwrap();
        let order = books.orders.get_mut(&asked.order_id).unwrap();
        order.state = pb::OrderState::Confirmed.into();
        pb::GetOrderResponse {
            order: Some(order.clone()),
        }
    }

    fn timeline(&self, asked: &pb::GetOrderTimelineRequest) -> pb::GetOrderTimelineResponse {
        let books = self.books.lock().unwrap();
        let returns = books
            .returns
            .values()
            .filter(|back| back.order_id == asked.order_id);
        let returns = returns.map(|back| pb::Return {
            state: pb::WorkState::Done.into(),
            ..back.clone()
        });
        pb::GetOrderTimelineResponse {
            returns: returns.collect(),
            ..pb::GetOrderTimelineResponse::default()
        }
    }

    fn upsert_items(
        &self,
        books: &mut Books,
        asked: inventory::BatchUpsertItemsRequest,
    ) -> Answer<inventory::BatchUpsertItemsResponse> {
        for item in &asked.items {
            books.tracked.insert(item.sku.clone(), item.stock_tracked());
        }
        Ok(inventory::BatchUpsertItemsResponse { items: asked.items })
    }

    fn set_stock(
        &self,
        books: &mut Books,
        asked: inventory::SetStockRequest,
    ) -> Answer<inventory::SetStockResponse> {
        assert!(books.tracked[&asked.sku], "{} is not counted", asked.sku);
        books.stock.insert(asked.sku, asked.on_hand);
        Ok(inventory::SetStockResponse::default())
    }

    fn adjust_stock(
        &self,
        books: &mut Books,
        asked: inventory::AdjustStockRequest,
    ) -> Answer<inventory::AdjustStockResponse> {
        let units = books.stock.get_mut(&asked.sku).unwrap();
        *units += asked.delta;
        assert!(*units >= 0, "{} was taken below zero", asked.sku);
        Ok(inventory::AdjustStockResponse::default())
    }

    fn create_order(
        &self,
        books: &mut Books,
        asked: pb::CreateOrderRequest,
    ) -> Answer<pb::CreateOrderResponse> {
        if self.faults.breaks_on == Some(asked.reference.as_str()) {
            return Err(Problem::internal().into());
        }
        let mut needs = BTreeMap::<&str, i64>::new();
        for line in asked.lines.iter().filter(|line| books.tracked[&line.sku]) {
            *needs.entry(&line.sku).or_default() += line.quantity;
        }
        let mut refusal = Problem::new(Reason::OutOfStock, "some lines are short");
        let mut is_short = false;
        for (sku, need) in &needs {
            let there = books.stock[*sku];
            if there < *need {
                is_short = true;
                let told = format!("requested {need}, available {there}");
                refusal = refusal.with_precondition("STOCK", *sku, told);
            }
        }
        if is_short {
            return Err(refusal.into());
        }
        for (sku, need) in needs {
            *books.stock.get_mut(sku).unwrap() -= need;
        }
        let order = self.order(format!("order-{}", books.orders.len()), asked);
        books.orders.insert(order.id.clone(), order.clone());
        Ok(pb::CreateOrderResponse { order: Some(order) })
    }

    fn order(&self, id: String, asked: pb::CreateOrderRequest) -> pb::Order {
        let lines = (1..).zip(asked.lines).map(|(number, line)| pb::OrderLine {
            number,
            sku: line.sku,
            quantity: line.quantity,
            unit_price: line.unit_price,
            ..pb::OrderLine::default()
        });
        let lines: Vec<_> = lines.collect();
        let price = |line: &pb::OrderLine| line.unit_price.as_ref().unwrap().minor_units;
        let minor_units = lines.iter().map(|line| line.quantity * price(line)).sum();
        let state = match self.faults.dawdles_on == Some(asked.reference.as_str()) {
            true => pb::OrderState::Pending,
            false => pb::OrderState::Confirmed,
        };
        pb::Order {
            id,
            state: state.into(),
            lines,
            total: Some(api::common::v1::Money {
                minor_units,
                currency_code: asked.currency_code,
            }),
            ..pb::Order::default()
        }
    }

    fn fulfil(
        &self,
        books: &mut Books,
        asked: pb::CreateFulfillmentRequest,
    ) -> Answer<pb::CreateFulfillmentResponse> {
        for line in &mut books.orders.get_mut(&asked.order_id).unwrap().lines {
            line.fulfilled = line.quantity;
        }
        Ok(pb::CreateFulfillmentResponse {
            fulfillment: Some(pb::Fulfillment {
                state: pb::WorkState::Done.into(),
                ..pb::Fulfillment::default()
            }),
            order: None,
        })
    }

    fn announce(
        &self,
        books: &mut Books,
        asked: pb::CreateReturnRequest,
    ) -> Answer<pb::CreateReturnResponse> {
        let order = books.orders.get_mut(&asked.order_id).unwrap();
        let mut refund = order.total.clone().unwrap();
        refund.minor_units = 0;
        for back in &asked.lines {
            let place = usize::try_from(back.line_number - 1).unwrap();
            let line = &mut order.lines[place];
            line.returned += back.quantity;
            assert!(
                line.returned <= line.fulfilled,
                "more came back than had left"
            );
            refund.minor_units += back.quantity * line.unit_price.as_ref().unwrap().minor_units;
        }
        let back = pb::Return {
            id: format!("return-{}", books.returns.len()),
            order_id: asked.order_id,
            lines: asked.lines,
            restock: asked.restock,
            refund: Some(refund),
            state: pb::WorkState::Requested.into(),
            ..pb::Return::default()
        };
        books.returns.insert(back.id.clone(), back.clone());
        Ok(pb::CreateReturnResponse {
            order_return: Some(back),
        })
    }

    /// Answers RUNNING: that it is done is seen in the timeline.
    fn receive(
        &self,
        books: &mut Books,
        asked: pb::ReceiveReturnRequest,
    ) -> Answer<pb::ReceiveReturnResponse> {
        let mut back = books.returns[&asked.return_id].clone();
        assert!(back.restock);
        for part in &back.lines {
            let place = usize::try_from(part.line_number - 1).unwrap();
            let sku = books.orders[&back.order_id].lines[place].sku.clone();
            if books.tracked[&sku] {
                *books.stock.get_mut(&sku).unwrap() += part.quantity;
            }
        }
        back.state = pb::WorkState::Running.into();
        Ok(pb::ReceiveReturnResponse {
            order_return: Some(back),
            order: None,
        })
    }
}

async fn read<M, R>(request: http::Request<Body>, answer: impl Fn(M) -> R) -> http::Response<Body>
where
    M: Message + Default + 'static,
    R: Message + Default + 'static,
{
    unary(request, |request: Request<M>| {
        Ok(answer(request.into_inner()))
    })
    .await
}

async fn unary<M, R>(
    request: http::Request<Body>,
    answer: impl Fn(Request<M>) -> Answer<R>,
) -> http::Response<Body>
where
    M: Message + Default + 'static,
    R: Message + Default + 'static,
{
    let codec = tonic_prost::ProstCodec::<R, M>::default();
    let handler =
        tower::service_fn(|request| std::future::ready(answer(request).map(Response::new)));
    tonic::server::Grpc::new(codec)
        .unary(handler, request)
        .await
}
