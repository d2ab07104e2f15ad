//! `cartwright order reconcile`

use std::collections::BTreeSet;
use std::time::Duration;

use api::common::v1::ListAuditEntriesRequest;
use api::order::v1 as pb;
use api::payment::v1 as payment;
use chrono::{DateTime, Utc};
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use payment::get_payment_request::Target;
use serde_json::json;
use uuid::Uuid;

use crate::{
    command,
    failure::Failure,
    input,
    output::{Format, Output, table},
    shop::Shop,
    show,
};

const PAGE: i32 = 100;
const CONCURRENCY: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);
/// Orders whose saga runs are looked at again: one that waits for the provider
/// may take a minute.
const LOOKS: u32 = 120;
const PAUSE: Duration = Duration::from_secs(1);
const TAKEN_OVER_BY: &str = "cartwright.payment.v1.PaymentAdminService/ReconcileProvider";

#[derive(Debug, Args)]
pub struct Reconcile {
    /// The orders of payments that were made since then, or taken over from the
    /// provider; such as 2026-11-22T01:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    since: DateTime<Utc>,
}

type Found = (String, pb::OrderDifference);

pub async fn run(args: &Reconcile, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut orders = made_since(args.since, shop).await?;
    orders.extend(taken_over_since(args.since, shop).await?);
    let compared = orders.len();
    let mut settled = Vec::new();
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let found = reconcile(&orders, shop).await?;
        let running = |found: &&Found| found.1 == pb::OrderDifference::Running;
        orders = found
            .iter()
            .filter(running)
            .map(|(id, _)| id.clone())
            .collect();
        let is_news = |found: &Found| {
            found.1 != pb::OrderDifference::Running && found.1 != pb::OrderDifference::None
        };
        settled.extend(found.into_iter().filter(is_news));
        if orders.is_empty() {
            break;
        }
    }
    let unfinished = orders.len();
    let left = orders.into_iter();
    settled.extend(left.map(|id| (id, pb::OrderDifference::Running)));
    tell(&settled, compared, output)?;
    match unfinished {
        0 => Ok(()),
        left => Err(Failure::Mismatch(format!(
            "{left} orders are not finished: see `cartwright saga list`, then repeat"
        ))),
    }
}

fn tell(settled: &[Found], compared: usize, output: Output) -> Result<(), Failure> {
    let name = |found: &Found| show::order_difference(found.1.into()).to_owned();
    if output.format == Format::Json {
        let orders = settled.iter();
        let orders: Vec<_> = orders
            .map(|found| json!({ "order_id": found.0, "difference": name(found) }))
            .collect();
        return output.json(&json!({ "compared": compared, "differences": orders }));
    }
    let rows = settled.iter().map(|found| [name(found), found.0.clone()]);
    let table = table(["DIFFERENCE", "ORDER"], rows);
    let found = settled.len();
    output.text(&format!(
        "{table}\n{compared} compared, {found} differences"
    ))
}

async fn reconcile(orders: &BTreeSet<String>, shop: &Shop) -> Result<Vec<Found>, Failure> {
    let compared = stream::iter(orders).map(|id| async move {
        let request = pb::ReconcileOrderRequest {
            order_id: id.clone(),
        };
        let key = format!("cli:reconcile:{}", Uuid::now_v7());
        let answer =
            shop.order_admin
                .insist(&key, request, PATIENCE, |mut client, request| async move {
                    client.reconcile_order(request).await
                });
        Ok((id.clone(), answer.await?.difference()))
    });
    compared.buffer_unordered(CONCURRENCY).try_collect().await
}

/// The orders of payments that were made since then.
async fn made_since(since: DateTime<Utc>, shop: &Shop) -> Result<BTreeSet<String>, Failure> {
    let mut orders = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = payment::ListPaymentsRequest {
            page_size: PAGE,
            page_token,
            ..payment::ListPaymentsRequest::default()
        };
        let page = shop
            .payments
            .ask(request, |mut client, request| async move {
                client.list_payments(request).await
            });
        let page = page.await?;
        let is_new = |payment: &payment::Payment| {
            show::moment(payment.create_time.as_ref()).is_none_or(|made| made >= since)
        };
        let is_last = page.next_page_token.is_empty() || !page.payments.iter().all(is_new);
        let new = page.payments.into_iter().filter(is_new);
        orders.extend(new.map(|payment| payment.order_id));
        page_token = page.next_page_token;
        if is_last {
            return Ok(orders);
        }
    }
}

/// The orders of payments that were taken over: older ones may be among them.
async fn taken_over_since(since: DateTime<Utc>, shop: &Shop) -> Result<BTreeSet<String>, Failure> {
    let mut payments = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = ListAuditEntriesRequest {
            method: TAKEN_OVER_BY.to_owned(),
            page_size: PAGE,
            page_token,
            ..ListAuditEntriesRequest::default()
        };
        let page = shop
            .payment_admin
            .ask(request, |mut client, request| async move {
                client.list_audit_entries(request).await
            });
        let page = page.await?;
        let taken_over = page.entries.iter();
        let taken_over = taken_over.filter(|entry| entry.outcome.ends_with("_TAKEN_OVER"));
        payments.extend(taken_over.map(|entry| entry.resource.clone()));
        let is_old = page.entries.last().is_some_and(|entry| {
            show::moment(entry.time.as_ref()).is_some_and(|time| time < since)
        });
        page_token = page.next_page_token;
        if page_token.is_empty() || is_old {
            break;
        }
    }
    let read = stream::iter(payments).map(|id| async move {
        let target = Some(Target::PaymentId(id));
        let payment = command::payment::fetch(target, false, shop).await?.payment;
        Ok::<_, Failure>(payment.unwrap_or_default().order_id)
    });
    read.buffer_unordered(CONCURRENCY).try_collect().await
}
