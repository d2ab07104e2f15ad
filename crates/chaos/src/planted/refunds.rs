//! Pays back parts of one payment twice at the same moment, at both replicas,
//! as two people at their desks would.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use api::common::v1::Money;
use api::payment::v1::RefundPaymentRequest;
use api::payment::v1::payment_service_client::PaymentServiceClient;
use rpc::{Authorized, PeerSettings, Token};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::history::CURRENCY;
use crate::shop::Shop;

const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

type Payments = PaymentServiceClient<Authorized>;

pub(super) fn two_at_once(shop: Arc<Shop>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let replicas = clients(&shop).expect("replicas of payment-service");
        let mut number = 0_u64;
        loop {
            tokio::time::sleep(PAUSE).await;
            // One that nothing can be given back of is passed over.
            if let Ok(Some((payment, captured))) = captured(&shop).await {
                number += 1;
                let amount = (captured / 4).max(1);
                let calls = replicas.iter().enumerate().map(|(desk, client)| {
                    let key = format!("desk-{desk}-{number}");
                    refund(client.clone(), payment.clone(), amount, key)
                });
                let calls: Vec<_> = calls.map(tokio::spawn).collect();
                for call in calls {
                    call.await.ok();
                }
            }
        }
    })
}

fn clients(shop: &Shop) -> Result<Vec<Payments>> {
    let token = Token::default();
    token.set(Some(&shop.token().as_str().into()))?;
    let urls = shop.endpoints().payments.split(',');
    let clients = urls.map(|url| {
        let channel = rpc::connect(&PeerSettings::at(url), None)?;
        Ok(PaymentServiceClient::new(Authorized::new(
            channel,
            token.clone(),
        )))
    });
    clients.collect()
}

/// A payment of which much is still there.
async fn captured(shop: &Shop) -> Result<Option<(String, i64)>> {
    let url = shop.databases.get("payments").context("payments")?;
    let mut conn = PgConnection::connect(url).await?;
    let found = sqlx::query_as(
        "select id::text, captured_minor
         from payments
         where captured_minor > 0 and refunded_minor + refund_pending_minor = 0
         order by random()
         limit 1",
    );
    let found = found.fetch_optional(&mut conn).await?;
    conn.close().await?;
    Ok(found)
}

async fn refund(client: Payments, payment: String, amount: i64, key: String) {
    let request = RefundPaymentRequest {
        payment_id: payment,
        amount: Some(Money {
            minor_units: amount,
            currency_code: CURRENCY.to_owned(),
        }),
        reason: "two at once".to_owned(),
        etag: String::new(),
    };
    // Whatever becomes of it, the books must agree.
    let _ = rpc::call(request, Some(&key), TIMEOUT, |request| {
        let mut client = client.clone();
        async move { client.refund_payment(request).await }
    })
    .await;
}
