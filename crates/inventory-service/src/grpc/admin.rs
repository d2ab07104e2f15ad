//! InventoryAdminService.

use api::common::v1 as common;
use api::inventory::v1::{self as pb, inventory_admin_service_server::InventoryAdminService};
use rpc::{AuditPage, Context, Problem};
use tonic::{Request, Response, Status};

use super::{Api, render};

#[tonic::async_trait]
impl InventoryAdminService for Api {
    async fn list_audit_entries(
        &self,
        request: Request<common::ListAuditEntriesRequest>,
    ) -> Result<Response<common::ListAuditEntriesResponse>, Status> {
        Context::of(&request)?;
        let page = AuditPage::parse(request.get_ref(), &self.pages)?;
        let (filter, limit) = (&page.filter, page.limit());
        let found = self.app.list_audit_entries(filter, page.before, limit);
        let found = found.await.map_err(Problem::from)?;
        Ok(Response::new(page.render(found, &self.pages)))
    }

    async fn run_audit(
        &self,
        request: Request<pb::RunAuditRequest>,
    ) -> Result<Response<pb::RunAuditResponse>, Status> {
        Context::of(&request)?;
        let findings = self.app.run_audit().await.map_err(Problem::from)?;
        let findings = findings.iter().map(render::finding).collect();
        Ok(Response::new(pb::RunAuditResponse { findings }))
    }
}
