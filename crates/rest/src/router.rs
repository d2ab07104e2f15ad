//! The routes of a service: one for each place that its methods have.

use std::{collections::BTreeMap, sync::Arc};

use api::contract::Method;
use axum::{Router, extract::Request, middleware::map_response, response::Response, routing::any};
use http::{HeaderValue, header};
use tonic::body::Body;
use tower::{BoxError, Service, util::BoxCloneSyncService};

use crate::{
    call::Edge,
    document,
    route::Route,
    serve::{Place, unknown_path},
    settings::Settings,
};

/// Why there is no router. Stops the start-up.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("the HTTP rule of {method} names `{rule}`, which its request does not have")]
    Rule { method: String, rule: String },
    #[error("two methods share one place: {verb} {template}")]
    Shared {
        verb: &'static str,
        template: String,
    },
    #[error("the OpenAPI document cannot be read: {0}")]
    Document(#[from] serde_json::Error),
}

/// All methods over HTTP, on the service that takes them over gRPC.
///
/// # Errors
/// [`RouterError`] for a contract that cannot be served.
pub fn router<S>(service: S, methods: &[Method], settings: &Settings) -> Result<Router, RouterError>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S: Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    let edge: Edge = BoxCloneSyncService::new(tower::ServiceExt::map_err(service, Into::into));
    let shared = Arc::new(settings.clone());
    let mut router = document::router(methods)?;
    for (template, routes) in places(methods)? {
        let place = Place {
            edge: edge.clone(),
            settings: shared.clone(),
            template: template.as_str().into(),
            routes: Arc::new(routes),
        };
        let serve = move |request: Request| place.clone().serve(request);
        router = router.route(&template, any(serve));
    }
    Ok(router.fallback(unknown_path).layer(map_response(guarded)))
}

type Places = BTreeMap<String, BTreeMap<&'static str, Arc<Route>>>;

fn places(methods: &[Method]) -> Result<Places, RouterError> {
    let mut places = Places::new();
    for method in methods {
        for http in &method.http {
            let at = places.entry(http.template.clone()).or_default();
            let route = Arc::new(Route::new(method, http)?);
            if at.insert(http.verb, route).is_some() {
                return Err(RouterError::Shared {
                    verb: http.verb,
                    template: http.template.clone(),
                });
            }
        }
    }
    Ok(places)
}

/// What every answer says to browsers and caches.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
