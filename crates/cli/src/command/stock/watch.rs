//! `cartwright stock watch`

use api::inventory::v1::{self as pb, watch_stock_response::Event};
use clap::Args;
use types::Sku;

use crate::{
    command::watch::{Feed, Sign, follow},
    failure::Failure,
    output::Output,
    shop::Shop,
    show,
};

#[derive(Debug, Args)]
pub struct Watch {
    /// Only these SKUs [default: all].
    skus: Vec<Sku>,
    /// The sequence of the last movement that is known; 0: from the beginning
    /// [default: only what comes from now on].
    #[arg(long)]
    after: Option<i64>,
    /// Stop after so many movements [default: never].
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

struct StockFeed<'a> {
    args: &'a Watch,
    shop: &'a Shop,
    output: Output,
    shown: std::cell::Cell<u64>,
}

impl Feed for StockFeed<'_> {
    type Message = pb::WatchStockResponse;
    type Messages = tonic::Streaming<pb::WatchStockResponse>;

    async fn open(&self, after: Option<i64>) -> Result<Self::Messages, Failure> {
        let request = pb::WatchStockRequest {
            skus: self.args.skus.iter().map(ToString::to_string).collect(),
            after_sequence: after.or(self.args.after),
        };
        let stream = self
            .shop
            .inventory
            .open(request, |mut client, request| async move {
                client.watch_stock(request).await
            });
        stream.await
    }

    fn show(&self, message: Self::Message) -> Result<Sign, Failure> {
        match message.event {
            Some(Event::Movement(movement)) => {
                self.output.event(&movement, line)?;
                self.shown.set(self.shown.get() + 1);
                match self.args.count == Some(self.shown.get()) {
                    true => Ok(Sign::Enough),
                    false => Ok(Sign::Seen(movement.sequence)),
                }
            }
            Some(Event::HeartbeatSequence(sequence)) => Ok(Sign::Seen(sequence)),
            None => Ok(Sign::Nothing),
        }
    }

    fn broken(&self, status: tonic::Status) -> Failure {
        self.shop.inventory.failure(status, None)
    }
}

pub async fn run(args: &Watch, shop: &Shop, output: Output) -> Result<(), Failure> {
    let feed = StockFeed {
        args,
        shop,
        output,
        shown: std::cell::Cell::new(0),
    };
    follow(&feed).await
}

fn line(movement: &pb::StockMovement) -> String {
    let (time, kind) = (
        show::time(movement.time.as_ref()),
        show::movement_kind(movement.kind),
    );
    let (sequence, sku, location) = (movement.sequence, &movement.sku, &movement.location_id);
    let (delta, after) = (movement.delta, movement.on_hand_after);
    let why = [movement.reference.as_str(), movement.reason.as_str()];
    let why = why.into_iter().filter(|text| !text.is_empty());
    let why = why.collect::<Vec<_>>().join("  ");
    format!(
        "{sequence:>6}  {time}  {sku:<20}  {location:<10}  {kind:<12}  {delta:>+7}  {after:>7}  {why}"
    )
}
