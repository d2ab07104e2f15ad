//! Puts the pieces together and takes them apart again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::books::{Books, OpenError, Opened};
use crate::faults::Faults;
use crate::http::{self, Api};
use crate::settings::Settings;
use crate::webhooks::{Surroundings, Webhooks};

/// A simulator that takes requests.
pub struct Simulator {
    address: SocketAddr,
    app: Arc<App>,
    accept: CancellationToken,
    connections: TaskTracker,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("api.listen: {address} cannot be listened on: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("books.directory: {0}")]
    Books(#[from] OpenError),
}

impl Simulator {
    /// Opens the books, takes up what the last process left, and listens.
    pub async fn start(settings: &Settings) -> Result<Simulator, StartError> {
        let listen_error = |source| StartError::Listen {
            address: settings.api.listen,
            source,
        };
        let listener = TcpListener::bind(settings.api.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let directory = settings.books.directory.clone();
        let opened = tokio::task::spawn_blocking(move || Books::open(&directory))
            .await
            .map_err(|error| listen_error(std::io::Error::other(error)))??;
        let app = build(settings, address, opened);
        let accept = CancellationToken::new();
        let connections = TaskTracker::new();
        let api = Arc::new(Api::new(Arc::clone(&app), &settings.api));
        connections.spawn(http::serve(
            listener,
            api,
            connections.clone(),
            accept.clone(),
        ));
        Ok(Simulator {
            address,
            app,
            accept,
            connections,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cancelled when the books can no longer be written; the process must end.
    pub fn broken(&self) -> CancellationToken {
        self.app.books.broken()
    }

    /// Takes no new requests, ends those under way, at most for `drain`.
    pub async fn stop(self, drain: Duration) {
        self.accept.cancel();
        self.app.stop.cancel();
        self.connections.close();
        self.app.tracker.close();
        let idle = async {
            self.connections.wait().await;
            self.app.tracker.wait().await;
        };
        if tokio::time::timeout(drain, idle).await.is_err() {
            tracing::warn!(?drain, "requests were still under way when the time was up");
        }
    }
}

fn build(settings: &Settings, address: SocketAddr, opened: Opened) -> Arc<App> {
    let public_url = settings.api.public_url.clone();
    let public_url = public_url.unwrap_or_else(|| format!("http://{address}"));
    let books = Arc::new(opened.books);
    let faults = Arc::new(Faults::default());
    let tracker = TaskTracker::new();
    let stop = CancellationToken::new();
    let webhooks = Webhooks::start(
        &settings.webhooks,
        Surroundings {
            books: Arc::clone(&books),
            faults: Arc::clone(&faults),
            public_url: public_url.clone(),
            tracker: tracker.clone(),
            stop: stop.clone(),
        },
    );
    if let Some(webhooks) = &webhooks {
        webhooks.send(&opened.undelivered);
    }
    let app = Arc::new(App {
        books,
        faults,
        webhooks,
        refund_settle_delay: Duration::from_millis(settings.refunds.settle_ms),
        public_url,
        tracker,
        stop,
    });
    app.settle_unsettled(opened.unsettled);
    app
}
