//! Both ports of a service, and what is served on them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::contract::{ContractError, Method};
use auth::{Authenticator, Mode};
use axum::Router;
use limits::Limits;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceBuilder};
use tower_http::cors::CorsLayer;

use crate::{Gated, Settings, cors, gate::Gate};

const HEALTH: &str = "grpc.health.v1.Health";

/// Why the edge could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Listen(#[from] listener::Error),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Auth(#[from] auth::Error),
    #[error("the descriptors of the API cannot be read: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error(transparent)]
    Rest(#[from] rest::RouterError),
    #[error(
        "http.cors.allowed_origins: expected `*` or an origin such as https://shop.example, got `{0}`"
    )]
    Origin(String),
}

/// A service that holds its ports and does not answer yet.
pub struct Bound {
    settings: Settings,
    services: &'static [&'static str],
    methods: Vec<Method>,
    authenticator: Option<Authenticator>,
    limits: Limits,
    cors: CorsLayer,
    grpc: listener::Bound,
    http: listener::Bound,
}

/// What is to be served, and until when.
pub struct Serving {
    routes: Routes,
    pages: Router,
    shutdown: CancellationToken,
    drain: Duration,
}

impl Serving {
    /// These handlers, until `shutdown`; calls in flight have `drain` after it.
    pub fn new(routes: Routes, shutdown: CancellationToken, drain: Duration) -> Self {
        Self {
            routes,
            pages: Router::new(),
            shutdown,
            drain,
        }
    }

    /// What is served over HTTP beside REST, at this one route, and guards
    /// itself.
    pub fn with_pages(self, route: &'static str, pages: Router) -> Self {
        Self {
            pages: rest::measured(route, pages),
            ..self
        }
    }
}

/// Takes the ports, and reads who may call what.
///
/// # Errors
/// Naming the address, the key, the file or the method that is not good.
pub async fn bind(settings: Settings, services: &'static [&'static str]) -> Result<Bound, Error> {
    let methods = api::contract::methods(services)?;
    let cors = cors::layer(&settings.http.cors)?;
    let authenticator = match settings.auth.mode {
        Mode::None => None,
        Mode::Jwt => Some(Authenticator::start(&settings.auth).await?),
    };
    let limits = Limits::new(settings.redis.clone(), settings.limits.clone());
    let (connections, tls) = (&settings.connections, settings.tls.as_ref());
    let grpc = listener::bind(settings.server.listen, connections, tls).await?;
    let http = listener::bind(settings.http.listen, connections, tls).await?;
    Ok(Bound {
        settings,
        services,
        methods,
        authenticator,
        limits,
        cors,
        grpc,
        http,
    })
}

impl Bound {
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc.local_addr()
    }

    pub fn http_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// Limits that may be changed while the service runs.
    pub fn limits(&self) -> Limits {
        self.limits.clone()
    }

    /// Serves gRPC, gRPC-Web and REST until `shutdown`, then finishes what is
    /// in flight.
    ///
    /// # Errors
    /// `Reflection` and `Rest` for a contract that cannot be served.
    pub async fn serve(self, serving: Serving) -> Result<(), Error> {
        let routes = match self.settings.server.reflection {
            true => with_reflection(serving.routes, self.services)?,
            false => serving.routes,
        };
        let gate = Gate::new(
            &self.settings,
            self.methods.clone(),
            self.authenticator,
            self.limits,
        );
        let gated = Gated::new(Arc::new(gate), routes);
        let rest = rest::router(gated.clone(), &self.methods, &self.settings.http.rest)?;
        let grpc = ServiceBuilder::new()
            .layer(self.cors.clone())
            .layer(GrpcWebLayer::new())
            .service(gated);
        let http = self.cors.layer(rest.merge(serving.pages));
        let Serving {
            shutdown, drain, ..
        } = serving;
        let grpc = self.grpc.serve(grpc, shutdown.clone(), drain);
        let http = self.http.serve(http, shutdown, drain);
        tokio::join!(grpc, http);
        Ok(())
    }
}

fn with_reflection(routes: Routes, services: &[&str]) -> Result<Routes, Error> {
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let all = [HEALTH].iter().chain(services);
        all.fold(builder, |builder, name| builder.with_service_name(*name))
    };
    // Most clients still ask in the alpha's name.
    Ok(routes
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
