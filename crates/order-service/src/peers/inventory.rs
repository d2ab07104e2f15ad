//! Stock: held, promised, given back, shipped.

use std::time::Duration;

use api::inventory::v1 as pb;
use batch::Gatherer;
use pb::inventory_service_client::InventoryServiceClient;
use rpc::{Authorized, Token};
use telemetry::propagation::traceparent_of;
use tracing::Span;
use types::{Money, Sku};

use super::failure::Failure;
use super::{Settings, channel};
use crate::domain::{Answer, Order, Work};
use crate::parts::by_weight;

type Client = InventoryServiceClient<Authorized>;
type Reservation = Result<pb::Reservation, Failure>;

const ITEMS_MAX: usize = 512;
/// Keeps the largest batch well below the peer's limit of 4 MiB.
const LINES_MAX: usize = 20_000;
/// Answers carry prices and places beside the lines.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Inventory {
    client: Client,
    timeout: Duration,
    hold: Duration,
    reserves: Gatherer<pb::BatchReserveItem, Reservation>,
    commits: Gatherer<pb::BatchCommitItem, Reservation>,
    releases: Gatherer<pb::BatchReleaseItem, Reservation>,
}

impl Inventory {
    pub(super) fn connect(settings: &Settings, token: Token) -> Result<Self, rpc::Error> {
        let channel = channel(&settings.inventory, settings.tls.as_ref(), token)?;
        let client = Client::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        let timeout = settings.inventory.timeout();
        let to = || (client.clone(), timeout);
        let (reserving, committing, releasing) = (to(), to(), to());
        Ok(Self {
            reserves: Gatherer::spawn("BatchReserve", ITEMS_MAX, move |items| {
                reserve_all(reserving.clone(), items)
            }),
            commits: Gatherer::spawn("BatchCommit", ITEMS_MAX, move |items| {
                commit_all(committing.clone(), items)
            }),
            releases: Gatherer::spawn("BatchRelease", ITEMS_MAX, move |items| {
                release_all(releasing.clone(), items)
            }),
            client,
            timeout,
            hold: settings.hold,
        })
    }

    /// The key names how long to hold: with another setting it is another
    /// request, and the peer answers it by the order's one reservation.
    pub(super) async fn reserve(&self, order: &Order, round: u8) -> Result<Answer, Failure> {
        let hold = self.hold.as_secs();
        let lines = order.lines.iter().map(|line| pb::StockLine {
            sku: line.sku.as_str().to_owned(),
            quantity: line.quantity.get(),
        });
        let lines = lines.collect();
        let item = |span: &Span| pb::BatchReserveItem {
            idempotency_key: format!("order:{}:reserve:{round}:{hold}s", order.id),
            request: Some(pb::ReserveRequest {
                order_id: order.id.to_string(),
                lines,
                ttl: Some(prost_types::Duration {
                    seconds: i64::try_from(hold).unwrap_or(i64::MAX),
                    nanos: 0,
                }),
                allow_partial: false,
                strategy: pb::AllocationStrategy::Priority as i32,
            }),
            traceparent: traceparent_of(span).unwrap_or_default(),
        };
        let reservation = self.reserves.call_with(item).await??;
        Ok(Answer::Reserved(prices(&reservation)))
    }

    pub(super) async fn commit(&self, order: &Order, round: u8) -> Result<Answer, Failure> {
        let item = |span: &Span| pb::BatchCommitItem {
            idempotency_key: format!("order:{}:commit:{round}", order.id),
            request: Some(pb::CommitRequest {
                order_id: order.id.to_string(),
            }),
            traceparent: traceparent_of(span).unwrap_or_default(),
        };
        match self.commits.call_with(item).await? {
            Ok(_) => Ok(Answer::Done),
            Err(failure) if failure.is_refused_for("RESERVATION_EXPIRED") => {
                Ok(Answer::HoldExpired)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn release(&self, order: &Order) -> Result<Answer, Failure> {
        let item = |span: &Span| pb::BatchReleaseItem {
            idempotency_key: format!("order:{}:release", order.id),
            request: Some(pb::ReleaseRequest {
                order_id: order.id.to_string(),
                reason: "order undone".to_owned(),
            }),
            traceparent: traceparent_of(span).unwrap_or_default(),
        };
        self.releases.call_with(item).await??;
        Ok(Answer::Done)
    }

    pub(super) async fn ship(&self, order: &Order, work: &Work) -> Result<Answer, Failure> {
        let message = pb::FulfillRequest {
            order_id: order.id.to_string(),
            fulfillment_id: work.id.to_string(),
            lines: stock_lines(order, work),
        };
        let key = format!("order:{}:fulfill:{}", order.id, work.id);
        rpc::call(message, Some(&key), self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.fulfill(request).await }
        })
        .await?;
        Ok(Answer::Done)
    }

    pub(super) async fn restock(&self, order: &Order, work: &Work) -> Result<Answer, Failure> {
        let message = pb::ReturnToStockRequest {
            order_id: order.id.to_string(),
            return_id: work.id.to_string(),
            lines: stock_lines(order, work),
            location_id: String::new(),
        };
        let key = format!("order:{}:return:{}:stock", order.id, work.id);
        rpc::call(message, Some(&key), self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.return_to_stock(request).await }
        })
        .await?;
        Ok(Answer::Done)
    }
}

/// An unreadable price counts as none: the order is refused, not mispriced.
fn prices(reservation: &pb::Reservation) -> Vec<(Sku, Option<Money>)> {
    let lines = reservation.lines.iter();
    lines
        .filter_map(|line| {
            let price = line.list_price.as_ref();
            let price = price.and_then(|price| Money::try_from(price).ok());
            Some((Sku::parse(&line.sku).ok()?, price))
        })
        .collect()
}

fn stock_lines(order: &Order, work: &Work) -> Vec<pb::StockLine> {
    let lines = work.lines.iter();
    lines
        .filter_map(|(number, quantity)| {
            Some(pb::StockLine {
                sku: order.line(*number)?.sku.as_str().to_owned(),
                quantity: *quantity,
            })
        })
        .collect()
}

async fn reserve_all(
    (client, timeout): (Client, Duration),
    items: Vec<pb::BatchReserveItem>,
) -> Vec<Reservation> {
    let mut answers = Vec::with_capacity(items.len());
    let lines = |item: &pb::BatchReserveItem| item.request.as_ref().map_or(0, |it| it.lines.len());
    for items in by_weight(items, LINES_MAX, lines) {
        let asked = items.len();
        let message = pb::BatchReserveRequest { items };
        let answer = rpc::call(message, None, timeout, |request| {
            let mut client = client.clone();
            async move { client.batch_reserve(request).await }
        });
        answers.extend(each(answer.await.map(|answer| answer.results), asked));
    }
    answers
}

async fn commit_all(
    (client, timeout): (Client, Duration),
    items: Vec<pb::BatchCommitItem>,
) -> Vec<Reservation> {
    let asked = items.len();
    let message = pb::BatchCommitRequest { items };
    let answer = rpc::call(message, None, timeout, |request| {
        let mut client = client.clone();
        async move { client.batch_commit(request).await }
    });
    each(answer.await.map(|answer| answer.results), asked)
}

async fn release_all(
    (client, timeout): (Client, Duration),
    items: Vec<pb::BatchReleaseItem>,
) -> Vec<Reservation> {
    let asked = items.len();
    let message = pb::BatchReleaseRequest { items };
    let answer = rpc::call(message, None, timeout, |request| {
        let mut client = client.clone();
        async move { client.batch_release(request).await }
    });
    each(answer.await.map(|answer| answer.results), asked)
}

/// One result per item, whatever became of the call.
fn each(
    answer: Result<Vec<pb::BatchReservationResult>, tonic::Status>,
    asked: usize,
) -> Vec<Reservation> {
    let results = match answer {
        Ok(results) if results.len() == asked => results,
        Ok(_) => return vec![Err(Failure::later("the batch was answered in part")); asked],
        Err(status) => return vec![Err(status.into()); asked],
    };
    let results = results.into_iter();
    results
        .map(|result| match result.outcome {
            Some(pb::batch_reservation_result::Outcome::Reservation(reservation)) => {
                Ok(reservation)
            }
            Some(pb::batch_reservation_result::Outcome::Error(status)) => Err(status.into()),
            None => Err(Failure::later("an item was not answered")),
        })
        .collect()
}
