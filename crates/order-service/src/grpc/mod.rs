//! The API over gRPC: parse, act, render. Nothing is decided here.

mod admin;
pub mod every_request;
mod parse;
mod reach;
mod render;
mod service;
mod status;
mod watch;

use api::order::v1 as pb;
use pb::order_admin_service_server::OrderAdminServiceServer;
use pb::order_service_server::OrderServiceServer;
use rpc::{Pages, Tasks};
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};

use crate::app::App;

/// The names under which health is served.
pub const SERVICES: &[&str] = &[
    "cartwright.order.v1.OrderService",
    "cartwright.order.v1.OrderAdminService",
];

/// What every handler needs.
#[derive(Clone)]
pub struct Api {
    pub app: App,
    pub tasks: Tasks,
    pub pages: Pages,
    /// Ends streams that would go on for ever.
    pub shutdown: CancellationToken,
}

impl Api {
    pub fn routes(self) -> RoutesBuilder {
        let mut routes = Routes::builder();
        routes
            .add_service(OrderServiceServer::new(self.clone()))
            .add_service(OrderAdminServiceServer::new(self));
        routes
    }
}
