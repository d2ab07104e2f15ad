//! A request, read and checked: key, size, form, no card data.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, Method, header};

use super::error::Failure;
use super::form::{Form, card_data};
use super::{Api, auth};
use crate::app::Keyed;
use crate::wire::Problem;

const BODY_BYTES_MAX: usize = 64 * 1024;
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
const KEY_CHARS_MAX: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request of Stripe's API.
pub struct Call {
    pub form: Form,
    /// Only of a POST.
    pub keyed: Option<Keyed>,
}

/// A request to the simulator itself, with a JSON body.
pub struct Order(pub Bytes);

impl FromRequest<Arc<Api>> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Call, Failure> {
        let (parts, body) = request.into_parts();
        auth::check(&parts.headers, &api.api_key)?;
        let path = parts.uri.path();
        if path.split('/').any(types::holds_card_number) {
            return Err(card_data().into());
        }
        if parts.method == Method::GET {
            let form = Form::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
            return Ok(Call { form, keyed: None });
        }
        let body = read(body).await?;
        if !body.is_empty() {
            check_content_type(&parts.headers)?;
        }
        let form = Form::parse(&body)?;
        let key = idempotency_key(&parts.headers)?;
        let keyed = key.map(|key| Keyed {
            key,
            fingerprint: form.fingerprint(path),
        });
        Ok(Call { form, keyed })
    }
}

impl FromRequest<Arc<Api>> for Order {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Order, Failure> {
        let (parts, body) = request.into_parts();
        auth::check(&parts.headers, &api.api_key)?;
        Ok(Order(read(body).await?))
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await;
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::invalid(format!(
            "The request body could not be read or is longer than {BODY_BYTES_MAX} bytes."
        ))),
        Err(_) => Err(Problem::invalid("The request body did not arrive in time.")),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or(FORM);
    match given.trim_start().starts_with(FORM) {
        true => Ok(()),
        false => Err(Problem::invalid(format!(
            "Invalid request (check that your POST content type is {FORM})."
        ))),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(Problem::new(
            400,
            "idempotency_error",
            format!("Idempotency keys must be 1 to {KEY_CHARS_MAX} printable ASCII characters."),
        ));
    }
    match types::holds_card_number(key) {
        true => Err(card_data()),
        false => Ok(Some(key.to_owned())),
    }
}
