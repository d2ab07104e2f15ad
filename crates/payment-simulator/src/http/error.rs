//! The one place where a failure becomes an answer; its cause is logged here
//! and not sent.

use axum::response::{IntoResponse, Response};
use http::{Method, Uri};

use super::reply::respond;
use crate::app::AppError;
use crate::wire::Problem;

pub struct Failure(AppError);

impl<E: Into<AppError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = match self.0 {
            AppError::Problem(problem) => problem,
            AppError::Books(_) | AppError::Render(_) | AppError::Task(_) => {
                tracing::error!(error = %self.0, "a request failed");
                Problem::internal()
            }
        };
        match problem.body() {
            Ok(body) => respond(problem.status, body.get().to_owned(), false),
            Err(error) => {
                tracing::error!(%error, "an error cannot be rendered");
                respond(500, "{}".to_owned(), false)
            }
        }
    }
}

pub async fn unknown_url(method: Method, uri: Uri) -> Failure {
    let path = match types::holds_card_number(uri.path()) {
        true => "…",
        false => uri.path(),
    };
    Problem::new(
        404,
        "invalid_request_error",
        format!("Unrecognized request URL ({method}: {path})."),
    )
    .into()
}
