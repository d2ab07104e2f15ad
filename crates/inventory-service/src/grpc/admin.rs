//! InventoryAdminService.

use api::inventory::v1::{self as pb, inventory_admin_service_server::InventoryAdminService};
use rpc::Problem;
use tonic::{Request, Response, Status};

use super::{Api, render};

#[tonic::async_trait]
impl InventoryAdminService for Api {
    async fn run_audit(
        &self,
        _request: Request<pb::RunAuditRequest>,
    ) -> Result<Response<pb::RunAuditResponse>, Status> {
        let findings = self.app.run_audit().await.map_err(Problem::from)?;
        let findings = findings.iter().map(render::finding).collect();
        Ok(Response::new(pb::RunAuditResponse { findings }))
    }
}
