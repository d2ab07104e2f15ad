//! Levels: get, list, set, adjust.

use std::num::NonZeroUsize;

use api::inventory::v1 as pb;
use clap::Args;
use types::Sku;

use super::view;
use crate::{args::KeyArg, failure::Failure, output::Output, shop::Shop};

const PAGE: usize = 100;

#[derive(Debug, Args)]
pub struct Get {
    sku: Sku,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only SKUs that begin with this.
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only this location.
    #[arg(long, default_value = "", hide_default_value = true)]
    location: String,
    /// At most so many.
    #[arg(long, default_value = "50")]
    limit: NonZeroUsize,
}

/// Where, why, and how firmly.
#[derive(Debug, Args)]
struct Change {
    /// The location [default: main].
    #[arg(long, default_value = "", hide_default_value = true)]
    location: String,
    /// Why; kept with the movement.
    #[arg(long, default_value = "set by hand")]
    reason: String,
    /// Break promises to orders if need be.
    #[arg(long)]
    force: bool,
    /// Only if the level has not changed since this etag was read.
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    key: KeyArg,
}

#[derive(Debug, Args)]
pub struct Set {
    sku: Sku,
    /// Units on hand from now on.
    on_hand: i64,
    /// Units to keep back and never sell [default: unchanged].
    #[arg(long)]
    safety_stock: Option<i64>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Adjust {
    sku: Sku,
    /// Signed units, such as 5 or -2.
    #[arg(allow_negative_numbers = true)]
    delta: i64,
    #[command(flatten)]
    change: Change,
}

pub async fn get(args: &Get, shop: &Shop, output: Output) -> Result<(), Failure> {
    let answer = fetch(args.sku.as_str(), shop).await?;
    output.message(&answer, view::item)
}

pub async fn fetch(sku: &str, shop: &Shop) -> Result<pb::GetStockResponse, Failure> {
    let request = pb::GetStockRequest {
        sku: sku.to_owned(),
    };
    let answer = shop
        .inventory
        .ask(request, |mut client, request| async move {
            client.get_stock(request).await
        });
    answer.await
}

pub async fn list(args: &List, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListStockResponse::default();
    loop {
        let left = args.limit.get().saturating_sub(all.levels.len());
        let request = pb::ListStockRequest {
            sku_prefix: args.prefix.clone(),
            location_id: args.location.clone(),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop
            .inventory
            .ask(request, |mut client, request| async move {
                client.list_stock(request).await
            });
        let page = page.await?;
        all.levels.extend(page.levels);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.levels.len() >= args.limit.get() {
            break;
        }
    }
    output.message(&all, |all| view::levels(&all.levels))
}

pub async fn set(args: &Set, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::SetStockRequest {
        sku: args.sku.to_string(),
        location_id: args.change.location.clone(),
        on_hand: args.on_hand,
        safety_stock: args.safety_stock,
        reason: args.change.reason.clone(),
        force: args.change.force,
        etag: args.change.etag.clone(),
    };
    let answer = shop
        .inventory
        .change(
            &args.change.key.or_new(),
            request,
            |mut client, request| async move { client.set_stock(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        view::changed(answer.level.as_ref(), &answer.shortfall_order_ids)
    })
}

pub async fn adjust(args: &Adjust, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::AdjustStockRequest {
        sku: args.sku.to_string(),
        location_id: args.change.location.clone(),
        delta: args.delta,
        reason: args.change.reason.clone(),
        force: args.change.force,
        etag: args.change.etag.clone(),
    };
    let answer = shop
        .inventory
        .change(
            &args.change.key.or_new(),
            request,
            |mut client, request| async move { client.adjust_stock(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        view::changed(answer.level.as_ref(), &answer.shortfall_order_ids)
    })
}
