//! `grpc.health.v1`, answered from the same state as the HTTP endpoints.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health as HealthApi, HealthServer},
};

use crate::Health;

/// Probes change without telling: watchers look again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The implementation behind [`Health::grpc_service`].
#[derive(Clone, Debug)]
pub struct GrpcHealth {
    health: Health,
    services: &'static [&'static str],
}

impl Health {
    /// The service to add to a gRPC server, which answers for `services` (their
    /// full names, `cartwright.order.v1.OrderService`) and for the server as a
    /// whole (the empty name).
    pub fn grpc_service(&self, services: &'static [&'static str]) -> HealthServer<GrpcHealth> {
        let health = self.clone();
        HealthServer::new(GrpcHealth { health, services })
    }
}

impl GrpcHealth {
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.contains(&service)
    }

    async fn status(&self, service: &str) -> ServingStatus {
        if !self.knows(service) {
            ServingStatus::ServiceUnknown
        } else if self.health.ready().await.ok {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl HealthApi for GrpcHealth {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !self.knows(&service) {
            return Err(Status::not_found("this server has no such service"));
        }
        Ok(Response::new(response(self.status(&service).await)))
    }

    /// Sends the status at once and then each change, until the server closes.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let (this, changes) = (self.clone(), self.health.changes());
        let first = (this, service, changes, None);
        let statuses =
            futures::stream::unfold(first, |(this, service, mut changes, last)| async move {
                let status = loop {
                    changes.mark_unchanged();
                    let status = this.status(&service).await;
                    if Some(status) != last {
                        break status;
                    }
                    // A timeout and a change ask for the same: look again.
                    let _ = tokio::time::timeout(LOOK_AGAIN, changes.changed()).await;
                };
                Some((Ok(response(status)), (this, service, changes, Some(status))))
            });
        let health = self.health.clone();
        let open = statuses.take_until(async move { health.closed().await });
        Ok(Response::new(Box::pin(open)))
    }
}
