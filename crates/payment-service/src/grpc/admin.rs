//! `PaymentAdminService`.

use api::common::v1 as common;
use api::payment::v1 as pb;
use pb::payment_admin_service_server::PaymentAdminService;
use rpc::{AuditPage, Context, Pages, Problem};
use tonic::{Request, Response, Status};

use super::render;
use crate::app::App;

/// The implementation of the contract; cheap to clone.
#[derive(Clone)]
pub struct Admin {
    app: App,
    pages: Pages,
}

impl Admin {
    pub fn new(app: App, pages: Pages) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl PaymentAdminService for Admin {
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
        let findings = self.app.run_audit(request.into_inner().skip_provider).await;
        let findings = findings.map_err(Problem::from)?;
        Ok(Response::new(pb::RunAuditResponse {
            findings: findings.into_iter().map(render::finding).collect(),
        }))
    }
}
