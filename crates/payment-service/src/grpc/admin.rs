//! `PaymentAdminService`.

use api::payment::v1 as pb;
use pb::payment_admin_service_server::PaymentAdminService;
use rpc::Problem;
use tonic::{Request, Response, Status};

use super::render;
use crate::app::App;

/// The implementation of the contract; cheap to clone.
#[derive(Clone)]
pub struct Admin {
    app: App,
}

impl Admin {
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl PaymentAdminService for Admin {
    async fn run_audit(
        &self,
        request: Request<pb::RunAuditRequest>,
    ) -> Result<Response<pb::RunAuditResponse>, Status> {
        let findings = self.app.run_audit(request.into_inner().skip_provider).await;
        let findings = findings.map_err(Problem::from)?;
        Ok(Response::new(pb::RunAuditResponse {
            findings: findings.into_iter().map(render::finding).collect(),
        }))
    }
}
