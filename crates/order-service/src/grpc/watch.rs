//! Streams the events of one order, without a gap, from any sequence on.

use std::pin::Pin;
use std::time::Duration;

use api::order::v1 as pb;
use pb::watch_order_response::Message;
use rpc::Problem;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use types::OrderId;

use super::Api;
use crate::wire;

const HEARTBEAT: Duration = Duration::from_secs(5);
/// Finds what other processes write.
const POLL: Duration = Duration::from_millis(250);
const PAGE: i64 = 100;

type Item = Result<pb::WatchOrderResponse, Status>;
pub(super) type Watching = Pin<Box<dyn Stream<Item = Item> + Send>>;

pub(super) fn watch(api: Api, order: OrderId, after: i64) -> Watching {
    // A slow client holds its own stream up and nothing else.
    let (to_client, stream) = mpsc::channel(16);
    tokio::spawn(async move {
        tokio::select! {
            // Only reads are dropped here.
            () = follow(&api, order, after, &to_client) => {}
            () = to_client.closed() => {}
            () = api.shutdown.cancelled() => {
                let status = Problem::unavailable("the service is stopping; watch again");
                let _ = to_client.try_send(Err(status.into()));
            }
        }
    });
    Box::pin(ReceiverStream::new(stream))
}

async fn follow(api: &Api, order: OrderId, mut after: i64, to_client: &mpsc::Sender<Item>) {
    let listener = api.app.listen(order);
    let mut silent_since = Instant::now();
    loop {
        // Listening begins before looking, so that no ring is missed.
        let rung = listener.rung();
        tokio::pin!(rung);
        let events = match api.app.events_after(order, after, PAGE).await {
            Ok(events) => events,
            Err(error) => {
                let _ = to_client.send(Err(Problem::from(error).into())).await;
                return;
            }
        };
        let more = !events.is_empty();
        for event in events {
            after = event.sequence;
            if !send(to_client, Message::Event(wire::event(&event))).await {
                return;
            }
            silent_since = Instant::now();
        }
        if silent_since.elapsed() >= HEARTBEAT {
            if !send(to_client, Message::HeartbeatSequence(after)).await {
                return;
            }
            silent_since = Instant::now();
        }
        if !more {
            let _ = tokio::time::timeout(POLL, rung).await;
        }
    }
}

async fn send(to_client: &mpsc::Sender<Item>, message: Message) -> bool {
    let message = Some(message);
    to_client
        .send(Ok(pb::WatchOrderResponse { message }))
        .await
        .is_ok()
}
