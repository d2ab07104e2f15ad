//! `cartwright order watch`

use api::order::v1::{self as pb, watch_order_response::Message};
use clap::Args;
use types::OrderId;

use super::view;
use crate::{
    command::watch::{Feed, Sign, follow},
    failure::Failure,
    input,
    output::Output,
    shop::Shop,
    show,
};

#[derive(Debug, Args)]
pub struct Watch {
    order_id: OrderId,
    /// The sequence of the last event that is known; 0: from the beginning.
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// Stop when the order reaches this state [default: never].
    #[arg(long, value_parser = input::order_state, value_name = "STATE")]
    until: Option<pb::OrderState>,
}

struct OrderFeed<'a> {
    args: &'a Watch,
    shop: &'a Shop,
    output: Output,
}

impl Feed for OrderFeed<'_> {
    type Message = pb::WatchOrderResponse;
    type Messages = tonic::Streaming<pb::WatchOrderResponse>;

    async fn open(&self, after: Option<i64>) -> Result<Self::Messages, Failure> {
        let request = pb::WatchOrderRequest {
            order_id: self.args.order_id.to_string(),
            after_sequence: after.unwrap_or(self.args.after),
        };
        let stream = self
            .shop
            .orders
            .open(request, |mut client, request| async move {
                client.watch_order(request).await
            });
        stream.await
    }

    fn show(&self, message: Self::Message) -> Result<Sign, Failure> {
        match message.message {
            Some(Message::Event(event)) => {
                self.output.event(&event, line)?;
                match self.args.until == Some(event.to()) {
                    true => Ok(Sign::Enough),
                    false => Ok(Sign::Seen(event.sequence)),
                }
            }
            Some(Message::HeartbeatSequence(sequence)) => Ok(Sign::Seen(sequence)),
            None => Ok(Sign::Nothing),
        }
    }

    fn broken(&self, status: tonic::Status) -> Failure {
        self.shop.orders.failure(status, None)
    }
}

pub async fn run(args: &Watch, shop: &Shop, output: Output) -> Result<(), Failure> {
    let feed = OrderFeed { args, shop, output };
    follow(&feed).await
}

fn line(event: &pb::OrderEvent) -> String {
    let reason = event.reason.as_ref().map(view::reason).unwrap_or_default();
    let time = show::time(event.time.as_ref());
    let state = show::order_state(event.to);
    let (sequence, kind) = (event.sequence, &event.kind);
    format!("{sequence:>3}  {time}  {kind:<28}  {state:<19}  {reason}")
}
