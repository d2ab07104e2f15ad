//! `PaymentService`.

use api::payment::v1 as pb;
use pb::payment_service_server::PaymentService;
use rpc::{Context, Pages, Problem, Tasks};
use tonic::{Request, Response, Status};

use super::batches::{self, Answers};
use super::{calls, parse, render};
use crate::app::{App, Cursor};
use crate::message;

type Answer<T> = Result<Response<T>, Status>;

/// The implementation of the contract; cheap to clone.
#[derive(Clone)]
pub struct Service {
    app: App,
    tasks: Tasks,
    pages: Pages,
}

impl Service {
    pub fn new(app: App, tasks: Tasks, pages: Pages) -> Self {
        Self { app, tasks, pages }
    }
}

#[tonic::async_trait]
impl PaymentService for Service {
    type BatchCreatePaymentsStream = Answers<pb::BatchCreatePaymentsResponse>;
    type BatchCapturePaymentsStream = Answers<pb::BatchCapturePaymentsResponse>;

    async fn create_payment(
        &self,
        request: Request<pb::CreatePaymentRequest>,
    ) -> Answer<pb::CreatePaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("CreatePayment", &message)?;
        let (app, new) = (self.app.clone(), parse::create_payment(&message)?);
        let work = async move { app.create_payment(identity, new).await };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
    }

    async fn batch_create_payments(
        &self,
        request: Request<pb::BatchCreatePaymentsRequest>,
    ) -> Answer<Self::BatchCreatePaymentsStream> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        batches::check_count(message.items.len())?;
        let items = batches::create_items(&context, &message);
        let act = batches::create(&self.app);
        Ok(batches::stream(
            &self.tasks,
            &context,
            items,
            act,
            batches::created,
        ))
    }

    async fn confirm_payment(
        &self,
        request: Request<pb::ConfirmPaymentRequest>,
    ) -> Answer<pb::ConfirmPaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("ConfirmPayment", &message)?;
        let (app, confirmation) = (self.app.clone(), parse::confirm_payment(&message)?);
        let work = async move { app.confirm_payment(identity, confirmation).await };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
    }

    async fn capture_payment(
        &self,
        request: Request<pb::CapturePaymentRequest>,
    ) -> Answer<pb::CapturePaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("CapturePayment", &message)?;
        let (app, new) = (self.app.clone(), parse::capture_payment(&message)?);
        let work = async move { app.capture_payment(identity, new).await };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
    }

    async fn batch_capture_payments(
        &self,
        request: Request<pb::BatchCapturePaymentsRequest>,
    ) -> Answer<Self::BatchCapturePaymentsStream> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        batches::check_count(message.items.len())?;
        let items = batches::capture_items(&context, &message);
        let act = batches::capture(&self.app);
        Ok(batches::stream(
            &self.tasks,
            &context,
            items,
            act,
            batches::captured,
        ))
    }

    async fn void_payment(
        &self,
        request: Request<pb::VoidPaymentRequest>,
    ) -> Answer<pb::VoidPaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("VoidPayment", &message)?;
        let (app, new) = (self.app.clone(), parse::void_payment(&message)?);
        let work = async move { app.void_payment(identity, new).await };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
    }

    async fn refund_payment(
        &self,
        request: Request<pb::RefundPaymentRequest>,
    ) -> Answer<pb::RefundPaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let identity = context.idempotent("RefundPayment", &message)?;
        let new = parse::refund_payment(identity.id().into(), &message)?;
        let app = self.app.clone();
        let work = async move { app.refund_payment(identity, new).await };
        calls::answer(calls::run(&self.tasks, &context, work).await?)
    }

    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Answer<pb::GetPaymentResponse> {
        let (context, message) = (Context::of(&request)?, request.into_inner());
        let (app, target) = (self.app.clone(), parse::get_payment(&message)?);
        // A refresh writes: nobody's hang-up may cancel it.
        let work = async move { Ok(app.get_payment(target, message.refresh).await?) };
        let details = self.tasks.run(&context, work).await?;
        let payment = Some(render::details(&details));
        Ok(Response::new(pb::GetPaymentResponse { payment }))
    }

    async fn list_payments(
        &self,
        request: Request<pb::ListPaymentsRequest>,
    ) -> Answer<pb::ListPaymentsResponse> {
        Context::of(&request)?;
        let message = request.into_inner();
        let (_, order) = parse::filters("", &message.order_id)?;
        let state = parse::state_filter(message.state)?;
        let list = format!("payments|{order:?}|{state:?}");
        let size = self.pages.size(message.page_size)?;
        let after: Option<Cursor> = self.pages.decode(&list, &message.page_token)?;
        let found = self.app.list_payments(order, state, after, size + 1).await;
        let mut found = found.map_err(Problem::from)?;
        let next_page_token = cut(&mut found, size).map(|last| {
            let cursor: Cursor = (last.payment.created_at, last.payment.id.as_uuid());
            self.pages.encode(&list, &cursor)
        });
        Ok(Response::new(pb::ListPaymentsResponse {
            payments: found.iter().map(render::details).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }

    async fn get_refund(
        &self,
        request: Request<pb::GetRefundRequest>,
    ) -> Answer<pb::GetRefundResponse> {
        Context::of(&request)?;
        let id = parse::get_refund(request.get_ref())?;
        let refund = self.app.get_refund(id).await.map_err(Problem::from)?;
        let refund = Some(message::refund(&refund));
        Ok(Response::new(pb::GetRefundResponse { refund }))
    }

    async fn list_refunds(
        &self,
        request: Request<pb::ListRefundsRequest>,
    ) -> Answer<pb::ListRefundsResponse> {
        Context::of(&request)?;
        let message = request.into_inner();
        let (payment, order) = parse::filters(&message.payment_id, &message.order_id)?;
        let list = format!("refunds|{payment:?}|{order:?}");
        let size = self.pages.size(message.page_size)?;
        let after: Option<Cursor> = self.pages.decode(&list, &message.page_token)?;
        let found = self.app.list_refunds(payment, order, after, size + 1).await;
        let mut found = found.map_err(Problem::from)?;
        let next_page_token = cut(&mut found, size).map(|last| {
            let cursor: Cursor = (last.created_at, last.id.as_uuid());
            self.pages.encode(&list, &cursor)
        });
        Ok(Response::new(pb::ListRefundsResponse {
            refunds: found.iter().map(message::refund).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }

    async fn list_ledger_entries(
        &self,
        request: Request<pb::ListLedgerEntriesRequest>,
    ) -> Answer<pb::ListLedgerEntriesResponse> {
        Context::of(&request)?;
        let message = request.into_inner();
        let (payment, order) = parse::filters(&message.payment_id, &message.order_id)?;
        let list = format!("ledger|{payment:?}|{order:?}");
        let size = self.pages.size(message.page_size)?;
        let after: Option<i64> = self.pages.decode(&list, &message.page_token)?;
        let after = after.unwrap_or_default();
        let found = self
            .app
            .list_ledger_entries(payment, order, after, size + 1)
            .await;
        let mut found = found.map_err(Problem::from)?;
        let next_page_token = cut(&mut found, size).map(|last| self.pages.encode(&list, &last.id));
        Ok(Response::new(pb::ListLedgerEntriesResponse {
            entries: found.iter().map(message::ledger_entry).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }
}

/// Cuts a list that was asked for one row more than a page holds; gives the
/// last row of the page if there is another page.
fn cut<T>(rows: &mut Vec<T>, size: i64) -> Option<&T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return None;
    }
    rows.truncate(size);
    rows.last()
}
