//! Between hyper and the service: every request learns who sent it, and is
//! counted until its answer is out.

use std::{pin::Pin, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, header::CONNECTION};
use hyper::body::Incoming;
use tower::{Service, ServiceExt};

use crate::{
    Peer,
    activity::Activity,
    body::{Answer, Body, InFlight},
};

/// One per connection.
pub(crate) struct Conversation<S> {
    pub(crate) service: S,
    pub(crate) peer: Peer,
    pub(crate) activity: Arc<Activity>,
    pub(crate) stall: Duration,
}

type Answering<B, E> = Pin<Box<dyn Future<Output = Result<Response<Answer<B>>, E>> + Send>>;

impl<S, B> hyper::service::Service<Request<Incoming>> for Conversation<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: 'static,
{
    type Response = Response<Answer<B>>;
    type Error = S::Error;
    type Future = Answering<B, S::Error>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let activity = self.activity.clone();
        let in_flight = InFlight::new(self.activity.clone());
        let mut request = request.map(|incoming| Body::new(incoming, self.stall));
        request.extensions_mut().insert(self.peer.clone());
        let answering = self.service.clone().oneshot(request);
        Box::pin(async move {
            let mut response = answering.await?;
            if activity.answers_last() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response.map(|body| Answer::new(body, in_flight)))
        })
    }
}
