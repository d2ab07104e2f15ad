//! The edge: requests are parsed into the service's own values, acted upon,
//! and rendered. Nothing is decided here.

mod admin;
mod batch;
#[doc(hidden)]
pub mod every_request;
mod parse;
mod parse_stock;
mod render;
mod service;
mod status;
mod watch;

use std::{sync::Arc, time::Duration};

use api::inventory::v1::{
    inventory_admin_service_server::InventoryAdminServiceServer,
    inventory_service_server::InventoryServiceServer,
};
use idempotency::{Call, Failure, Outcome};
use rpc::{Context, Pages, Problem, Tasks};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};

use crate::app::{App, Error};

/// What gRPC health answers for.
pub const SERVICES: &[&str] = &[
    "cartwright.inventory.v1.InventoryService",
    "cartwright.inventory.v1.InventoryAdminService",
];

/// The implementation of both services; cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub app: App,
    pub tasks: Tasks,
    pub pages: Pages,
    pub watching: Watching,
}

/// The terms of watch streams.
#[derive(Clone)]
pub struct Watching {
    pub heartbeat: Duration,
    /// One for each stream that may be open.
    pub places: Arc<Semaphore>,
    pub shutdown: CancellationToken,
}

/// Both services.
pub fn routes(api: Api) -> Routes {
    Routes::new(InventoryServiceServer::new(api.clone()))
        .add_service(InventoryAdminServiceServer::new(api))
}

impl Api {
    /// Every mutating call: parse, act once per key on a task that no hang-up
    /// cancels, render.
    async fn mutate<M, R, I, O, F, Fut>(
        &self,
        method: &'static str,
        request: Request<M>,
        parse: fn(&M) -> Result<I, Problem>,
        act: F,
    ) -> Result<Response<R>, Status>
    where
        M: prost::Message + prost::Name,
        R: prost::Message + Default + for<'a> From<&'a O>,
        O: Send + 'static,
        F: FnOnce(App, Call<I>) -> Fut,
        Fut: Future<Output = Result<Outcome<O>, Failure<Error>>> + Send + 'static,
    {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let call = Call {
            request: context.idempotent(method, &message)?,
            input: parse(&message)?,
        };
        batch::check_time(&context)?;
        let acting = act(self.app.clone(), call);
        let work = async move { acting.await.map_err(Problem::from) };
        let outcome = self.tasks.run(&context, work).await?;
        rpc::respond(outcome, |output| R::from(&output))
    }
}
