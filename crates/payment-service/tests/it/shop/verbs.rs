//! What a client can ask.

use std::time::Duration;

use api::payment::v1 as pb;
use tonic::Status;
use types::OrderId;
use uuid::Uuid;

use super::{PATIENCE, Shop, capturing, creation, keyed, refunding, voiding, voiding_order};

impl Shop {
    pub async fn create(&self, order: OrderId, method: &str) -> Result<pb::Payment, Status> {
        let key = format!("create {order} 1");
        self.create_keyed(&key, creation(order, 1, 1_000, method))
            .await
    }

    pub async fn create_keyed(
        &self,
        key: &str,
        request: pb::CreatePaymentRequest,
    ) -> Result<pb::Payment, Status> {
        let mut client = self.client.clone();
        let response = client.create_payment(keyed(key, request)).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    /// An authorized payment of 10.00 GBP.
    pub async fn authorized(&self) -> pb::Payment {
        self.authorized_by("pm_card_visa").await
    }

    pub async fn authorized_by(&self, method: &str) -> pb::Payment {
        let payment = self.create(OrderId::generate(), method).await.unwrap();
        assert_eq!(payment.state(), pb::PaymentState::Authorized);
        payment
    }

    pub async fn captured_by(&self, method: &str) -> pb::Payment {
        let payment = self.authorized_by(method).await;
        self.capture(&payment.id, None)
            .await
            .unwrap()
            .payment
            .unwrap()
    }

    pub async fn capture(
        &self,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<pb::CapturePaymentResponse, Status> {
        let key = Uuid::now_v7().to_string();
        self.capture_keyed(&key, capturing(payment, amount)).await
    }

    pub async fn capture_keyed(
        &self,
        key: &str,
        request: pb::CapturePaymentRequest,
    ) -> Result<pb::CapturePaymentResponse, Status> {
        let mut client = self.client.clone();
        let response = client.capture_payment(keyed(key, request)).await?;
        Ok(response.into_inner())
    }

    pub async fn refund(
        &self,
        payment: &str,
        amount: Option<i64>,
    ) -> Result<pb::RefundPaymentResponse, Status> {
        let key = Uuid::now_v7().to_string();
        self.refund_keyed(&key, refunding(payment, amount)).await
    }

    pub async fn refund_keyed(
        &self,
        key: &str,
        request: pb::RefundPaymentRequest,
    ) -> Result<pb::RefundPaymentResponse, Status> {
        let mut client = self.client.clone();
        Ok(client
            .refund_payment(keyed(key, request))
            .await?
            .into_inner())
    }

    pub async fn void(&self, payment: &str) -> Result<Option<pb::Payment>, Status> {
        let key = Uuid::now_v7().to_string();
        self.void_keyed(&key, voiding(payment)).await
    }

    pub async fn void_order(&self, order: OrderId) -> Result<Option<pb::Payment>, Status> {
        let key = Uuid::now_v7().to_string();
        self.void_keyed(&key, voiding_order(order)).await
    }

    pub async fn void_keyed(
        &self,
        key: &str,
        request: pb::VoidPaymentRequest,
    ) -> Result<Option<pb::Payment>, Status> {
        let mut client = self.client.clone();
        let response = client.void_payment(keyed(key, request)).await?;
        Ok(response.into_inner().payment)
    }

    pub async fn confirm(&self, payment: &str) -> Result<pb::Payment, Status> {
        let mut client = self.client.clone();
        let request = pb::ConfirmPaymentRequest {
            payment_id: payment.to_owned(),
            etag: String::new(),
        };
        let key = Uuid::now_v7().to_string();
        let response = client.confirm_payment(keyed(&key, request)).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    pub async fn get(&self, payment: &str) -> pb::Payment {
        self.get_target(
            pb::get_payment_request::Target::PaymentId(payment.to_owned()),
            false,
        )
        .await
        .unwrap()
    }

    pub async fn refreshed(&self, payment: &str) -> pb::Payment {
        self.get_target(
            pb::get_payment_request::Target::PaymentId(payment.to_owned()),
            true,
        )
        .await
        .unwrap()
    }

    pub async fn of_order(&self, order: OrderId) -> Result<pb::Payment, Status> {
        let target = pb::get_payment_request::Target::OrderId(order.to_string());
        self.get_target(target, false).await
    }

    async fn get_target(
        &self,
        target: pb::get_payment_request::Target,
        refresh: bool,
    ) -> Result<pb::Payment, Status> {
        let request = pb::GetPaymentRequest {
            refresh,
            target: Some(target),
        };
        let response = self.client.clone().get_payment(request).await?;
        Ok(response.into_inner().payment.unwrap())
    }

    /// Waits until the payment is as `wanted`.
    pub async fn wait_for(
        &self,
        payment: &str,
        wanted: impl Fn(&pb::Payment) -> bool,
    ) -> pb::Payment {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.get(payment).await;
            if wanted(&found) {
                return found;
            }
            assert!(tokio::time::Instant::now() < deadline, "still {found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn wait_for_state(&self, payment: &str, state: pb::PaymentState) -> pb::Payment {
        self.wait_for(payment, |found| found.state() == state).await
    }
}
