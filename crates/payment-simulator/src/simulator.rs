//! Puts the pieces together and takes them apart again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use listener::Limits;
use tokio::task::JoinHandle;
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
    server: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("api.listen: {0}")]
    Listen(#[from] listener::Error),
    #[error("books.directory: {0}")]
    Books(#[from] OpenError),
    #[error("the books could not be opened: {0}")]
    Opening(#[from] tokio::task::JoinError),
    #[error("webhooks: the client could not be set up: {0}")]
    Webhooks(#[from] reqwest::Error),
}

impl Simulator {
    /// Opens the books, takes up what the last process left, and listens.
    pub async fn start(settings: &Settings) -> Result<Simulator, StartError> {
        let limits = limits(settings.api.connections_max);
        let bound = listener::bind(settings.api.listen, &limits, None).await?;
        let address = bound.local_addr();
        let directory = settings.books.directory.clone();
        let opened = tokio::task::spawn_blocking(move || Books::open(&directory)).await??;
        let app = build(settings, address, opened)?;
        let accept = CancellationToken::new();
        let api = Arc::new(Api::new(Arc::clone(&app), &settings.api));
        // How long it may take is said by whoever stops it.
        let server = bound.serve(http::service(api), accept.clone(), Duration::MAX);
        Ok(Simulator {
            address,
            app,
            accept,
            server: tokio::spawn(server),
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
    pub async fn stop(mut self, drain: Duration) {
        self.accept.cancel();
        self.app.stop.cancel();
        self.app.tracker.close();
        let idle = async {
            let _ = (&mut self.server).await;
            self.app.tracker.wait().await;
        };
        if tokio::time::timeout(drain, idle).await.is_err() {
            self.server.abort();
            tracing::warn!(?drain, "requests were still under way when the time was up");
        }
    }
}

/// All its clients are on one machine.
fn limits(connections_max: usize) -> Limits {
    Limits {
        max_connections: connections_max,
        max_connections_per_address: connections_max,
        ..Limits::default()
    }
}

fn build(settings: &Settings, address: SocketAddr, opened: Opened) -> reqwest::Result<Arc<App>> {
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
    )?;
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
    Ok(app)
}
