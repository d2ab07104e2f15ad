//! OrderAdminService.

use api::common::v1 as common;
use api::order::v1 as pb;
use pb::order_admin_service_server::OrderAdminService;
use rpc::{AuditPage, Context, Problem};
use tonic::{Request, Response, Status};

use super::service::{Cursor, mutate, page, place};
use super::{Api, parse, render};
use crate::app::method;
use crate::domain::Reach;

#[tonic::async_trait]
impl OrderAdminService for Api {
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

    async fn list_sagas(
        &self,
        request: Request<pb::ListSagasRequest>,
    ) -> Result<Response<pb::ListSagasResponse>, Status> {
        Context::of(&request)?;
        let message = request.get_ref();
        let size = self.pages.size(message.page_size)?;
        let list = format!("sagas|{}", message.needs_attention);
        let after = self.pages.decode::<Cursor>(&list, &message.page_token)?;
        let listed = self
            .app
            .list_sagas(message.needs_attention, after, size + 1);
        let mut orders = listed.await.map_err(Problem::from)?;
        let next = page(&mut orders, size, place);
        Ok(Response::new(pb::ListSagasResponse {
            sagas: orders.iter().map(render::saga).collect(),
            next_page_token: next.map_or_else(String::new, |at| self.pages.encode(&list, &at)),
        }))
    }

    async fn get_saga(
        &self,
        request: Request<pb::GetSagaRequest>,
    ) -> Result<Response<pb::GetSagaResponse>, Status> {
        Context::of(&request)?;
        let id = parse::order_id(&request.get_ref().order_id)?;
        let order = self
            .app
            .get_order(id, &Reach::All)
            .await
            .map_err(Problem::from)?;
        let saga = Some(render::saga(&order));
        Ok(Response::new(pb::GetSagaResponse { saga }))
    }

    async fn retry_saga(
        &self,
        request: Request<pb::RetrySagaRequest>,
    ) -> Result<Response<pb::RetrySagaResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::RETRY_SAGA, &message)?;
        let id = parse::order_id(&message.order_id)?;
        mutate!(self, context, async |app: crate::app::App| {
            app.retry_saga(key, id).await
        })
    }

    async fn resolve_saga(
        &self,
        request: Request<pb::ResolveSagaRequest>,
    ) -> Result<Response<pb::ResolveSagaResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::RESOLVE_SAGA, &message)?;
        let input = parse::resolve_saga(&message, &context.caller)?;
        mutate!(self, context, async |app: crate::app::App| {
            app.resolve_saga(key, input).await
        })
    }

    async fn reconcile_order(
        &self,
        request: Request<pb::ReconcileOrderRequest>,
    ) -> Result<Response<pb::ReconcileOrderResponse>, Status> {
        let context = Context::of(&request)?;
        let message = request.into_inner();
        let key = context.idempotent(method::RECONCILE_ORDER, &message)?;
        let id = parse::order_id(&message.order_id)?;
        let asker = parse::asker(&context.caller);
        mutate!(self, context, async |app: crate::app::App| {
            app.reconcile_order(key, id, asker).await
        })
    }

    async fn run_audit(
        &self,
        request: Request<pb::RunAuditRequest>,
    ) -> Result<Response<pb::RunAuditResponse>, Status> {
        Context::of(&request)?;
        let findings = self.app.run_audit().await.map_err(Problem::from)?;
        let findings = findings.into_iter().map(render::finding).collect();
        Ok(Response::new(pb::RunAuditResponse { findings }))
    }
}
