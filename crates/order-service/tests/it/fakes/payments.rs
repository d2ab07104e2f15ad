//! The payment service over gRPC, on the books in `money`.

use std::pin::Pin;
use std::sync::Arc;

use api::payment::v1 as pb;
use pb::payment_service_server::PaymentService;
use rpc::Problem;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::faults::Faults;
use super::keys::key_of;
use super::money::{Books, Money};
use super::unused;

#[derive(Clone)]
pub struct Payments {
    money: Arc<Money>,
    faults: Arc<Faults>,
}

impl Payments {
    pub fn new(money: Arc<Money>, faults: Arc<Faults>) -> Self {
        Self { money, faults }
    }

    async fn keyed<Q: prost::Message, A: prost::Message + Default>(
        &self,
        method: &'static str,
        key: &str,
        request: &Q,
        act: impl Fn(&mut Books) -> Result<A, Problem> + Send + Sync,
    ) -> Result<A, Problem> {
        let acted = self.faults.around(method, key, || {
            let mut books = self.money.0.lock().unwrap();
            if let Some(kept) = books.keys.find(method, key, request) {
                return kept;
            }
            let answer = act(&mut books);
            books.keys.keep(method, key, request, &answer);
            answer
        });
        acted.await
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl PaymentService for Payments {
    type BatchCreatePaymentsStream = Answers<pb::BatchCreatePaymentsResponse>;

    async fn batch_create_payments(
        &self,
        request: Request<pb::BatchCreatePaymentsRequest>,
    ) -> Result<Response<Self::BatchCreatePaymentsStream>, Status> {
        use pb::batch_create_payments_response::Outcome;
        let (to_client, stream) = mpsc::channel(512);
        for (index, item) in (0..).zip(request.into_inner().items) {
            let (this, to_client) = (self.clone(), to_client.clone());
            tokio::spawn(async move {
                let asked = item.request.unwrap();
                let act = |books: &mut Books| books.create(&asked);
                let key = &item.idempotency_key;
                let outcome = match this.keyed("CreatePayment", key, &asked, act).await {
                    Ok(payment) => Outcome::Payment(payment),
                    Err(problem) => Outcome::Error(problem.to_pb()),
                };
                let outcome = Some(outcome);
                let answer = pb::BatchCreatePaymentsResponse { index, outcome };
                let _ = to_client.send(Ok(answer)).await;
            });
        }
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    type BatchCapturePaymentsStream = Answers<pb::BatchCapturePaymentsResponse>;

    async fn batch_capture_payments(
        &self,
        request: Request<pb::BatchCapturePaymentsRequest>,
    ) -> Result<Response<Self::BatchCapturePaymentsStream>, Status> {
        use pb::batch_capture_payments_response::Outcome;
        let (to_client, stream) = mpsc::channel(512);
        for (index, item) in (0..).zip(request.into_inner().items) {
            let (this, to_client) = (self.clone(), to_client.clone());
            tokio::spawn(async move {
                let asked = item.request.unwrap();
                let act = |books: &mut Books| books.capture(&asked.payment_id);
                let key = &item.idempotency_key;
                let outcome = match this.keyed("CapturePayment", key, &asked, act).await {
                    Ok(response) => Outcome::Response(response),
                    Err(problem) => Outcome::Error(problem.to_pb()),
                };
                let outcome = Some(outcome);
                let answer = pb::BatchCapturePaymentsResponse { index, outcome };
                let _ = to_client.send(Ok(answer)).await;
            });
        }
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn void_payment(
        &self,
        request: Request<pb::VoidPaymentRequest>,
    ) -> Result<Response<pb::VoidPaymentResponse>, Status> {
        let key = key_of(&request);
        let asked = request.into_inner();
        let act = |books: &mut Books| books.void(&asked);
        Ok(Response::new(
            self.keyed("VoidPayment", &key, &asked, act).await?,
        ))
    }

    async fn refund_payment(
        &self,
        request: Request<pb::RefundPaymentRequest>,
    ) -> Result<Response<pb::RefundPaymentResponse>, Status> {
        let key = key_of(&request);
        let asked = request.into_inner();
        let act = |books: &mut Books| books.refund(&asked);
        Ok(Response::new(
            self.keyed("RefundPayment", &key, &asked, act).await?,
        ))
    }

    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Result<Response<pb::GetPaymentResponse>, Status> {
        let asked = request.into_inner();
        let act = || self.money.0.lock().unwrap().get(&asked);
        let payment = self.faults.around("GetPayment", "", act).await?;
        let payment = Some(payment);
        Ok(Response::new(pb::GetPaymentResponse { payment }))
    }

    async fn list_payments(
        &self,
        request: Request<pb::ListPaymentsRequest>,
    ) -> Result<Response<pb::ListPaymentsResponse>, Status> {
        let asked = request.into_inner();
        let act = || Ok(self.money.0.lock().unwrap().list(&asked.order_id));
        let listed = self.faults.around("ListPayments", "", act).await?;
        Ok(Response::new(listed))
    }

    unused! {
        create_payment: CreatePaymentRequest => CreatePaymentResponse,
        confirm_payment: ConfirmPaymentRequest => ConfirmPaymentResponse,
        capture_payment: CapturePaymentRequest => CapturePaymentResponse,
        get_refund: GetRefundRequest => GetRefundResponse,
        list_refunds: ListRefundsRequest => ListRefundsResponse,
        list_ledger_entries: ListLedgerEntriesRequest => ListLedgerEntriesResponse,
    }
}
