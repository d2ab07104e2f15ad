//! `cartwright payment reconcile`

use std::time::Duration;

use api::payment::v1 as pb;
use chrono::{DateTime, Utc};
use clap::Args;
use uuid::Uuid;

use crate::{
    failure::Failure,
    input,
    output::{Output, table},
    shop::Shop,
    show,
};

/// A page may have to wait for one that was cut off.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub struct Reconcile {
    /// Look through what the provider made since then, such as
    /// 2026-11-22T01:30:00Z: the restore point, and some minutes more.
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    since: DateTime<Utc>,
}

pub async fn run(args: &Reconcile, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ReconcileProviderResponse::default();
    loop {
        let request = pb::ReconcileProviderRequest {
            created_from: Some(api::to_timestamp(args.since)),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let key = format!("cli:reconcile:{}", Uuid::now_v7());
        let page =
            shop.payment_admin
                .insist(&key, request, PATIENCE, |mut client, request| async move {
                    client.reconcile_provider(request).await
                });
        let page = page.await?;
        all.compared += page.compared;
        all.differences.extend(page.differences);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() {
            break;
        }
    }
    output.message(&all, view)?;
    let unsettled = |found: &&pb::BookDifference| found.kind() == pb::BookDifferenceKind::Unsettled;
    match all.differences.iter().filter(unsettled).count() {
        0 => Ok(()),
        left => Err(Failure::Mismatch(format!(
            "{left} could not be settled: a person has to look"
        ))),
    }
}

fn view(all: &pb::ReconcileProviderResponse) -> String {
    let rows = all.differences.iter().map(|found| {
        [
            show::book_difference_kind(found.kind).to_owned(),
            show::money(found.amount.as_ref()),
            found.payment_id.clone(),
            found.order_id.clone(),
            found.provider_reference.clone(),
            found.message.clone(),
        ]
    });
    let table = table(
        [
            "DIFFERENCE",
            ">AMOUNT",
            "PAYMENT",
            "ORDER",
            "PROVIDER",
            "MESSAGE",
        ],
        rows,
    );
    let (compared, found) = (all.compared, all.differences.len());
    format!("{table}\n{compared} compared, {found} differences")
}
