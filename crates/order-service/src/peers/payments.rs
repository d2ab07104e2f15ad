//! Money: authorized, captured, voided, paid back.

use std::time::Duration;

use api::payment::v1 as pb;
use pb::payment_service_client::PaymentServiceClient;
use rpc::{Authorized, Token};
use telemetry::propagation::traceparent_of;
use tokio_stream::StreamExt;
use tracing::Span;
use types::{Money, OrderId, PaymentId};

use super::failure::Failure;
use super::ledger;
use super::streams::Streams;
use super::{Settings, channel};
use crate::domain::{Answer, Order, PaymentBook, Refusal, Work};

type Client = PaymentServiceClient<Authorized>;

/// A provider may need several times what a peer of ours needs.
const PROVIDER_FACTOR: u32 = 5;

#[derive(Debug, Clone)]
pub(super) struct Payments {
    client: Client,
    timeout: Duration,
    creates: Streams<pb::BatchCreatePaymentsItem, pb::Payment>,
    captures: Streams<pb::BatchCapturePaymentsItem, pb::CapturePaymentResponse>,
}

impl Payments {
    pub(super) fn connect(settings: &Settings, token: Token) -> Result<Self, rpc::Error> {
        let client = Client::new(channel(&settings.payment, settings.tls.as_ref(), token)?);
        let timeout = settings.payment.timeout().saturating_mul(PROVIDER_FACTOR);
        Ok(Self {
            creates: creates(client.clone(), timeout),
            captures: captures(client.clone(), timeout),
            client,
            timeout,
        })
    }

    pub(super) async fn create(&self, order: &Order) -> Result<Answer, Failure> {
        let attempt = order.saga.attempt;
        let item = |span: &Span| pb::BatchCreatePaymentsItem {
            idempotency_key: format!("order:{}:pay:{attempt}", order.id),
            request: Some(pb::CreatePaymentRequest {
                order_id: order.id.to_string(),
                attempt: i32::from(attempt),
                amount: order.total.map(Into::into),
                payment_method: order.payment_method.clone(),
            }),
            traceparent: traceparent_of(span).unwrap_or_default(),
        };
        ledger::authorization(&self.creates.call(item).await?)
    }

    /// What has become of a payment that waited for its customer.
    pub(super) async fn outcome(&self, order: &Order) -> Result<Answer, Failure> {
        ledger::authorization(&self.payment(order).await?)
    }

    pub(super) async fn capture(&self, order: &Order) -> Result<Answer, Failure> {
        let payment = paid(order)?;
        let item = |span: &Span| pb::BatchCapturePaymentsItem {
            idempotency_key: format!("order:{}:capture:{}", order.id, order.saga.attempt),
            request: Some(pb::CapturePaymentRequest {
                payment_id: payment.to_string(),
                amount: None,
                r#final: true,
                etag: String::new(),
            }),
            traceparent: traceparent_of(span).unwrap_or_default(),
        };
        match self.captures.call(item).await {
            Ok(answer) if ledger::succeeded(answer.capture.as_ref().map(|c| c.state)) => {
                ledger::captured(&answer.payment.unwrap_or_default())
            }
            Ok(_) => self.settled(order).await,
            // A final capture of what is captured already is no refusal.
            Err(Failure::Refused(refusal)) => match self.payment(order).await {
                Ok(payment) if ledger::has_captured(&payment) => ledger::captured(&payment),
                Ok(payment) if ledger::is_pending(&payment) => {
                    Err(Failure::later("a capture is pending at the provider"))
                }
                Ok(_) => Err(Failure::Refused(refusal)),
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        }
    }

    /// A capture whose outcome was open when it was answered.
    async fn settled(&self, order: &Order) -> Result<Answer, Failure> {
        let payment = self.payment(order).await?;
        if ledger::has_captured(&payment) {
            return ledger::captured(&payment);
        }
        if ledger::is_pending(&payment) {
            return Err(Failure::later("the capture is pending at the provider"));
        }
        Err(Failure::Refused(Refusal::new(
            "CAPTURE_REFUSED",
            "the provider did not capture",
        )))
    }

    /// Gives up an attempt of which nothing can be captured.
    pub(super) async fn drop_attempt(&self, order: &Order) -> Result<Answer, Failure> {
        let payment = paid(order)?;
        let key = format!("order:{}:void:{}", order.id, order.saga.attempt);
        let target = pb::void_payment_request::Target::PaymentId(payment.to_string());
        self.void_target(order, &key, target).await
    }

    /// By order and not by payment: it must also stop a CreatePayment that is
    /// still on its way.
    pub(super) async fn void(&self, order: &Order) -> Result<Answer, Failure> {
        let key = format!("order:{}:void", order.id);
        let target = pb::void_payment_request::Target::OrderId(order.id.to_string());
        self.void_target(order, &key, target).await
    }

    async fn void_target(
        &self,
        order: &Order,
        key: &str,
        target: pb::void_payment_request::Target,
    ) -> Result<Answer, Failure> {
        let message = pb::VoidPaymentRequest {
            target: Some(target),
            reason: "order undone".to_owned(),
            etag: String::new(),
        };
        let answer = rpc::call(message, Some(key), self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.void_payment(request).await }
        })
        .await;
        match answer.map_err(Failure::from) {
            Ok(answer) => Ok(Answer::Voided(answer.payment.as_ref().and_then(ledger::id))),
            Err(Failure::Refused(refusal)) => {
                ledger::why_not_void(&self.payment(order).await?, refusal)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn refund_rest(&self, order: &Order) -> Result<Answer, Failure> {
        let rest = order.money(order.captured_minor - order.refunded_minor);
        let key = format!("order:{}:refund:cancel", order.id);
        match self.refund(order, &key, rest, "order cancelled").await {
            Err(Failure::Refused(refusal)) => {
                // Paid back by somebody else, past us: that is what we wanted.
                let payment = self.payment(order).await?;
                match ledger::has_refunded_all(&payment) {
                    true => Ok(Answer::Done),
                    false => Err(Failure::Refused(refusal)),
                }
            }
            answer => answer,
        }
    }

    pub(super) async fn pay_back(&self, order: &Order, work: &Work) -> Result<Answer, Failure> {
        let amount = work.amount.unwrap_or(order.money(0));
        let key = format!("order:{}:refund:{}", order.id, work.id);
        self.refund(order, &key, amount, &work.reason).await
    }

    async fn refund(
        &self,
        order: &Order,
        key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<Answer, Failure> {
        let key = match failpoint::planted!("undo-not-idempotent") {
            true => &format!("{key}:{}", uuid::Uuid::now_v7()),
            false => key,
        };
        let message = pb::RefundPaymentRequest {
            payment_id: paid(order)?.to_string(),
            amount: Some(amount.into()),
            reason: reason.to_owned(),
            etag: String::new(),
        };
        let answer = rpc::call(message, Some(key), self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.refund_payment(request).await }
        })
        .await?;
        let refund = answer.refund.unwrap_or_default();
        if ledger::succeeded(Some(refund.state)) {
            return Ok(Answer::Done);
        }
        ledger::refund(&self.payment(order).await?, &refund.id)
    }

    /// An order has at most one live payment, and few others.
    pub(super) async fn of_order(&self, order: OrderId) -> Result<Vec<PaymentBook>, Failure> {
        let message = pb::ListPaymentsRequest {
            order_id: order.to_string(),
            page_size: 100,
            ..pb::ListPaymentsRequest::default()
        };
        let answer = rpc::call(message, None, self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.list_payments(request).await }
        })
        .await?;
        answer.payments.iter().map(ledger::book).collect()
    }

    /// For an order that does not want it. False: there was nothing left.
    pub(super) async fn give_back(
        &self,
        order: OrderId,
        book: &PaymentBook,
    ) -> Result<bool, Failure> {
        if book.kept_minor() > 0 {
            let message = pb::RefundPaymentRequest {
                payment_id: book.id.to_string(),
                amount: None,
                reason: "no order wants it".to_owned(),
                etag: String::new(),
            };
            let key = format!("order:{order}:refund:unwanted:{}", book.refunded_minor);
            rpc::call(message, Some(&key), self.timeout, |request| {
                let mut client = self.client.clone();
                async move { client.refund_payment(request).await }
            })
            .await?;
        } else if book.is_held {
            let message = pb::VoidPaymentRequest {
                target: Some(pb::void_payment_request::Target::OrderId(order.to_string())),
                reason: "no order wants it".to_owned(),
                etag: String::new(),
            };
            let key = format!("order:{order}:void:unwanted");
            rpc::call(message, Some(&key), self.timeout, |request| {
                let mut client = self.client.clone();
                async move { client.void_payment(request).await }
            })
            .await?;
        }
        Ok(book.kept_minor() > 0 || book.is_held)
    }

    /// The order's payment as the provider sees it now.
    async fn payment(&self, order: &Order) -> Result<pb::Payment, Failure> {
        let target = match order.payment_id {
            Some(id) => pb::get_payment_request::Target::PaymentId(id.to_string()),
            None => pb::get_payment_request::Target::OrderId(order.id.to_string()),
        };
        let message = pb::GetPaymentRequest {
            target: Some(target),
            refresh: true,
        };
        let answer = rpc::call(message, None, self.timeout, |request| {
            let mut client = self.client.clone();
            async move { client.get_payment(request).await }
        })
        .await?;
        Ok(answer.payment.unwrap_or_default())
    }
}

fn paid(order: &Order) -> Result<PaymentId, Failure> {
    let unknown = || Failure::Refused(Refusal::new("INTERNAL", "the order has no payment"));
    order.payment_id.ok_or_else(unknown)
}

fn creates(client: Client, timeout: Duration) -> Streams<pb::BatchCreatePaymentsItem, pb::Payment> {
    Streams::spawn("BatchCreatePayments", timeout, move |items| {
        let client = client.clone();
        async move {
            let message = pb::BatchCreatePaymentsRequest { items };
            let stream = rpc::call(message, None, timeout, |request| {
                let mut client = client.clone();
                async move { client.batch_create_payments(request).await }
            });
            Ok(stream.await?.map(|answer| {
                let answer = answer?;
                let place = usize::try_from(answer.index).unwrap_or(usize::MAX);
                Ok((
                    place,
                    match answer.outcome {
                        Some(pb::batch_create_payments_response::Outcome::Payment(payment)) => {
                            Ok(payment)
                        }
                        Some(pb::batch_create_payments_response::Outcome::Error(status)) => {
                            Err(status.into())
                        }
                        None => Err(Failure::later("an item was not answered")),
                    },
                ))
            }))
        }
    })
}

fn captures(
    client: Client,
    timeout: Duration,
) -> Streams<pb::BatchCapturePaymentsItem, pb::CapturePaymentResponse> {
    Streams::spawn("BatchCapturePayments", timeout, move |items| {
        let client = client.clone();
        async move {
            let message = pb::BatchCapturePaymentsRequest { items };
            let stream = rpc::call(message, None, timeout, |request| {
                let mut client = client.clone();
                async move { client.batch_capture_payments(request).await }
            });
            Ok(stream.await?.map(|answer| {
                let answer = answer?;
                let place = usize::try_from(answer.index).unwrap_or(usize::MAX);
                Ok((
                    place,
                    match answer.outcome {
                        Some(pb::batch_capture_payments_response::Outcome::Response(response)) => {
                            Ok(response)
                        }
                        Some(pb::batch_capture_payments_response::Outcome::Error(status)) => {
                            Err(status.into())
                        }
                        None => Err(Failure::later("an item was not answered")),
                    },
                ))
            }))
        }
    })
}
