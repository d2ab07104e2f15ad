//! Sends the requests of OTLP over HTTP.

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use super::target::Target;
use crate::Error;

/// A collector answers with next to nothing.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Works on the runtime of the process: the threads of the SDK, which call it,
/// have none.
#[derive(Debug)]
pub(super) struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

impl Client {
    pub(super) fn new(target: &Target) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .timeout(target.timeout)
            // The headers may hold a secret.
            .redirect(reqwest::redirect::Policy::none());
        let client = target.tls.for_http(builder)?.build()?;
        let runtime = Handle::current();
        Ok(Self { client, runtime })
    }
}

#[tonic::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(send(client, request)).await?
    }
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let mut response = client.execute(request.try_into()?).await?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}
