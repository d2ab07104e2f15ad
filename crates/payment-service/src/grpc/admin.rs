//! `PaymentAdminService`.

use api::common::v1 as common;
use api::payment::v1 as pb;
use pb::payment_admin_service_server::PaymentAdminService;
use rpc::{AuditPage, Context, Pages, Problem, Tasks};
use tonic::{Request, Response, Status};

use super::{calls, parse, render};
use crate::app::{App, Place, Window};

/// The implementation of the contract; cheap to clone.
#[derive(Clone)]
pub struct Admin {
    app: App,
    tasks: Tasks,
    pages: Pages,
}

impl Admin {
    pub fn new(app: App, tasks: Tasks, pages: Pages) -> Self {
        Self { app, tasks, pages }
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

    async fn reconcile_provider(
        &self,
        request: Request<pb::ReconcileProviderRequest>,
    ) -> Result<Response<pb::ReconcileProviderResponse>, Status> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("ReconcileProvider", &message)?;
        let created_from = parse::reconcile_provider(&message)?;
        let list = format!("reconcile|{created_from}");
        let place: Option<Place> = self.pages.decode(&list, &message.page_token)?;
        let window = Window {
            created_from,
            place: place.unwrap_or(Place::Intents(None)),
        };
        let (app, pages) = (self.app.clone(), self.pages.clone());
        let work = async move {
            let token = |place: &Place| pages.encode(&list, place);
            let render = |done: &_| render::reconciled(done, token);
            app.reconcile_provider(identity, window, render).await
        };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
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
