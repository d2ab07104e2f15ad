//! The stream of WatchStock.

use api::inventory::v1::{self as pb, watch_stock_response::Event};
use rpc::Problem;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::Instant,
};
use tonic::Status;

use super::{Watching, render};
use crate::app::{App, Seen, Watch};

type Message = Result<pb::WatchStockResponse, Status>;

/// Messages that wait for a slow client; past that, reading waits for it.
pub(super) const QUEUED_MAX: usize = 128;

/// Sends what is committed until the client goes away or the process stops.
/// The place of the stream is free again when this ends.
pub(super) async fn follow(
    app: App,
    mut watch: Watch,
    terms: Watching,
    to: mpsc::Sender<Message>,
    _place: OwnedSemaphorePermit,
) {
    // At once, so that whoever starts from now knows where that is.
    let mut heartbeat_due = Instant::now();
    loop {
        let seen = match app.read_on(&mut watch).await {
            Ok(seen) => seen,
            Err(error) => {
                let status = Status::from(Problem::from(error));
                let _ = to.send(Err(status)).await;
                return;
            }
        };
        let is_quiet = seen.movements.is_empty();
        let up_to = seen.up_to;
        if send(&to, seen).await.is_err() {
            return;
        }
        if !is_quiet {
            heartbeat_due = Instant::now() + terms.heartbeat;
            continue;
        }
        tokio::select! {
            () = to.closed() => return,
            () = terms.shutdown.cancelled() => {
                let ending = Problem::unavailable("the service is stopping; go on after the last sequence");
                let _ = to.send(Err(ending.into())).await;
                return;
            }
            () = watch.changed() => {}
            () = tokio::time::sleep_until(heartbeat_due) => {
                if to.send(Ok(event(Event::HeartbeatSequence(up_to)))).await.is_err() {
                    return;
                }
                heartbeat_due = Instant::now() + terms.heartbeat;
            }
        }
    }
}

async fn send(to: &mpsc::Sender<Message>, seen: Seen) -> Result<(), ()> {
    for recorded in &seen.movements {
        let message = event(Event::Movement(render::movement(recorded)));
        to.send(Ok(message)).await.map_err(|_| ())?;
    }
    Ok(())
}

fn event(event: Event) -> pb::WatchStockResponse {
    pb::WatchStockResponse { event: Some(event) }
}
