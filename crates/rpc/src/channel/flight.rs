//! A call on its way to one endpoint.

use std::{net::SocketAddr, sync::Arc};

use http::{Request, Response};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{
    answer::Answer,
    connection::Link,
    endpoint::{Endpoint, SILENCE},
    failure,
    place::Place,
};

/// Counts as in flight until it is dropped.
pub(super) struct Flight {
    endpoint: Arc<Endpoint>,
    link: Arc<Link>,
    since: Instant,
    /// When its caller stops waiting.
    until: Option<Instant>,
    /// Nobody has said anything to it yet.
    is_open: bool,
}

/// Why there is no answer.
pub(super) enum Lost {
    /// It was never sent.
    Returned(Box<Request<Body>>),
    Failed(Status),
}

impl Flight {
    pub(super) fn begin(endpoint: Arc<Endpoint>, link: Arc<Link>, until: Option<Instant>) -> Self {
        endpoint.takes_off();
        Self {
            endpoint,
            link,
            since: Instant::now(),
            until,
            is_open: true,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.endpoint.address
    }

    pub(super) fn place(&self) -> &Place {
        &self.endpoint.place
    }

    pub(super) async fn send(mut self, request: Request<Body>) -> Result<Response<Answer>, Lost> {
        let sent = self.link.sender.clone().try_send_request(request).await;
        self.is_open = false;
        match sent {
            Ok(response) => {
                self.endpoint.answered();
                Ok(response.map(|body| Answer::new(body, self)))
            }
            Err(mut error) => match error.take_message() {
                Some(request) => Err(Lost::Returned(Box::new(request))),
                None => {
                    self.endpoint.erred(&self.link);
                    Err(Lost::Failed(failure::status(error.into_error())))
                }
            },
        }
    }

    /// Whether the caller's time was over, and nothing at all came meanwhile:
    /// a slow answer alone says nothing about the endpoint.
    fn was_in_vain(&self) -> bool {
        let now = Instant::now();
        self.is_open
            && self.until.is_some_and(|until| until <= now)
            && now - self.since >= SILENCE
            && self.link.last_heard() < self.since
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.endpoint.lands();
        if self.was_in_vain() {
            self.endpoint.erred(&self.link);
        }
    }
}
