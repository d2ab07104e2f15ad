//! OTLP over HTTP: a protobuf message in, one out; errors are a
//! `google.rpc.Status`, as the specification of OTLP wants it.

use std::io::Read;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceResponse, metrics::v1::ExportMetricsServiceResponse,
};
use prost::Message;

use crate::{TraceStore, bounds::MESSAGE_BYTES_MAX, grpc};

const PROTOBUF: &str = "application/x-protobuf";

pub(crate) fn routes(store: &TraceStore) -> Router {
    Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/metrics", post(metrics))
        .route("/v1/logs", post(logs))
        .with_state(store.clone())
}

async fn traces(State(store): State<TraceStore>, request: Request) -> Result<Answer, Refusal> {
    let rejected = store.take_traces(message(request).await?);
    Ok(Answer::of(&grpc::answer(rejected)))
}

async fn metrics(State(store): State<TraceStore>, request: Request) -> Result<Answer, Refusal> {
    store.take_metrics(message(request).await?);
    Ok(Answer::of(&ExportMetricsServiceResponse::default()))
}

async fn logs(State(store): State<TraceStore>, request: Request) -> Result<Answer, Refusal> {
    store.take_logs(message(request).await?);
    Ok(Answer::of(&ExportLogsServiceResponse::default()))
}

async fn message<M: Message + Default>(request: Request) -> Result<M, Refusal> {
    let (head, body) = request.into_parts();
    let encoding = check_head(&head.headers)?;
    let body = match encoding {
        Encoding::Plain => received(body).await?,
        Encoding::Gzip => unpacked(&received(body).await?)?,
    };
    M::decode(body.as_slice())
        .map_err(|error| Refusal::bad(format!("the body is not what it should be: {error}")))
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
}

fn check_head(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(PROTOBUF) {
        let message = format!("the content type is {kind:?}, expected {PROTOBUF}");
        return Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    match text(header::CONTENT_ENCODING).unwrap_or("identity") {
        "identity" => Ok(Encoding::Plain),
        "gzip" => Ok(Encoding::Gzip),
        other => {
            let message = format!("the content encoding is {other:?}, expected gzip or none");
            Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

async fn received(body: Body) -> Result<Vec<u8>, Refusal> {
    let limited = Limited::new(body, MESSAGE_BYTES_MAX).collect().await;
    match limited {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large()),
        Err(_) => Err(Refusal::bad("the body broke off".to_owned())),
    }
}

fn unpacked(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let most = MESSAGE_BYTES_MAX as u64;
    let mut plain = Vec::new();
    MultiGzDecoder::new(body)
        .take(most + 1)
        .read_to_end(&mut plain)
        .map_err(|error| Refusal::bad(format!("the body is no gzip: {error}")))?;
    match plain.len() as u64 <= most {
        true => Ok(plain),
        false => Err(Refusal::too_large()),
    }
}

struct Answer(Vec<u8>);

impl Answer {
    fn of(message: &impl Message) -> Self {
        Self(message.encode_to_vec())
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, PROTOBUF)], self.0).into_response()
    }
}

struct Refusal {
    code: StatusCode,
    message: String,
}

impl Refusal {
    fn of(code: StatusCode, message: String) -> Self {
        Self { code, message }
    }

    /// Sending the same again would not help.
    fn bad(message: String) -> Self {
        Self::of(StatusCode::BAD_REQUEST, message)
    }

    fn too_large() -> Self {
        let message = format!("the body is larger than {MESSAGE_BYTES_MAX} bytes");
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = tonic_types::Status {
            code: tonic::Code::InvalidArgument as i32,
            message: self.message,
            details: Vec::new(),
        };
        (self.code, Answer::of(&status)).into_response()
    }
}
