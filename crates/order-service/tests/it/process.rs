//! The service on a runtime of its own: as near to a process as a test can
//! start, stop and kill.

use std::net::SocketAddr;
use std::time::Duration;

use health::Health;
use order_service::{Settings, Surroundings};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One process of the service, as far as anybody outside can tell.
pub struct Service {
    runtime: Option<Runtime>,
    pub address: SocketAddr,
    shutdown: CancellationToken,
    ended: Option<tokio::task::JoinHandle<()>>,
}

impl Service {
    pub async fn start(settings: Settings) -> Service {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let shutdown = CancellationToken::new();
        let around = Surroundings {
            health: Health::new(),
            shutdown: shutdown.clone(),
            tracker: TaskTracker::new(),
            drain_deadline: Duration::from_secs(5),
            auth: auth::Settings::none(),
        };
        let (up, is_up) = tokio::sync::oneshot::channel();
        let ended = runtime.spawn(async move {
            let running = order_service::start(settings, around).await.unwrap();
            up.send(running.grpc_addr()).unwrap();
            running.ended().await.unwrap();
        });
        Service {
            runtime: Some(runtime),
            address: is_up.await.unwrap(),
            shutdown,
            ended: Some(ended),
        }
    }

    /// As by `kill -9`: every task stops where it is.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.ended.take().unwrap().await.unwrap();
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
