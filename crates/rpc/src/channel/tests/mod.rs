//! Real servers on real ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod places;
mod server;
mod trouble;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use api::order::v1::GetOrderRequest;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{Channel, Names, Place};

const PATIENCE: Duration = Duration::from_secs(20);

fn to(addresses: &[SocketAddr]) -> Channel {
    let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    let url = format!("http://{}", addresses.join(","));
    let places = Place::all(&url, None, None).unwrap();
    Channel::to(places, Names::of_system())
}

async fn check_within(channel: &Channel, time: Duration) -> Result<(), Status> {
    let client = HealthClient::new(channel.clone());
    // Only messages of the contract are sent; this one is sent as another.
    let call = crate::call(GetOrderRequest::default(), None, time, |request| {
        let mut client = client.clone();
        let question = request.map(|_| HealthCheckRequest::default());
        async move { client.check(question).await }
    });
    call.await.map(drop)
}

async fn check(channel: &Channel) -> Result<(), Status> {
    check_within(channel, PATIENCE).await
}

/// Until it holds.
async fn eventually(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
}

/// Calls without a pause, until it is ended.
struct Load {
    callers: Vec<JoinHandle<Vec<Status>>>,
    done: Arc<AtomicUsize>,
    is_over: CancellationToken,
}

impl Load {
    fn begin(channel: &Channel, callers: usize) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let is_over = CancellationToken::new();
        let caller = |_| {
            let (channel, done, is_over) = (channel.clone(), done.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut failures = Vec::new();
                while !is_over.is_cancelled() {
                    failures.extend(check(&channel).await.err());
                    done.fetch_add(1, Ordering::Relaxed);
                }
                failures
            })
        };
        Self {
            callers: (0..callers).map(caller).collect(),
            done,
            is_over,
        }
    }

    /// Until so many more calls have ended.
    async fn more(&self, calls: usize) {
        let until = self.done.load(Ordering::Relaxed) + calls;
        eventually(async || self.done.load(Ordering::Relaxed) >= until).await;
    }

    /// What failed.
    async fn end(self) -> Vec<Status> {
        self.is_over.cancel();
        let mut failures = Vec::new();
        for caller in self.callers {
            failures.extend(caller.await.unwrap());
        }
        failures
    }
}
