//! Stripe's API over HTTP: routes, and what each request needs before it is
//! carried out. Parsing is strict: what is not known is refused by name.

mod auth;
mod call;
mod card_number;
mod error;
#[doc(hidden)]
pub mod form;
mod orders;
mod payment_intents;
mod refunds;
mod reply;
mod serve;
mod span;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use secrecy::SecretString;

use crate::app::App;
use crate::settings::ApiSettings;

#[doc(hidden)]
pub use payment_intents::{parse_create, parse_page};
pub use serve::service;

/// What the handlers share.
pub struct Api {
    app: Arc<App>,
    api_key: SecretString,
    hold: Duration,
}

impl Api {
    pub fn new(app: Arc<App>, settings: &ApiSettings) -> Api {
        Api {
            app,
            api_key: settings.api_key.clone(),
            hold: Duration::from_millis(settings.hold_ms_max),
        }
    }
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route(
            "/v1/payment_intents",
            get(payment_intents::list).post(payment_intents::create),
        )
        .route("/v1/payment_intents/{id}", get(payment_intents::retrieve))
        .route(
            "/v1/payment_intents/{id}/confirm",
            post(payment_intents::confirm),
        )
        .route(
            "/v1/payment_intents/{id}/capture",
            post(payment_intents::capture),
        )
        .route(
            "/v1/payment_intents/{id}/cancel",
            post(payment_intents::cancel),
        )
        .route("/v1/refunds", get(refunds::list).post(refunds::create))
        .route("/v1/refunds/{id}", get(refunds::retrieve))
        .route(
            "/_simulator/payment_intents/{id}/complete_action",
            post(orders::complete_action),
        )
        .route("/_simulator/books", get(orders::books))
        .route(
            "/_simulator/faults",
            get(orders::faults).post(orders::set_faults),
        )
        .fallback(error::unknown_url)
        .method_not_allowed_fallback(error::unknown_url)
        .with_state(api)
}
