//! `cartwright stock location`

use api::inventory::v1 as pb;
use clap::Args;
use types::LocationId;

use super::view;
use crate::{args::KeyArg, failure::Failure, output::Output, shop::Shop};

const PAGE: i32 = 100;

#[derive(Debug, Args)]
pub struct Location {
    /// The location to create or change; without one all are listed.
    location_id: Option<LocationId>,
    /// What people call it [default: the id].
    #[arg(long, requires = "location_id")]
    name: Option<String>,
    /// Stock is taken from the lowest number first.
    #[arg(
        long,
        default_value_t = 0,
        requires = "location_id",
        allow_negative_numbers = true
    )]
    priority: i32,
    #[command(flatten)]
    key: KeyArg,
}

pub async fn run(args: &Location, shop: &Shop, output: Output) -> Result<(), Failure> {
    match &args.location_id {
        Some(id) => upsert(id, args, shop, output).await,
        None => list(shop, output).await,
    }
}

async fn upsert(
    id: &LocationId,
    args: &Location,
    shop: &Shop,
    output: Output,
) -> Result<(), Failure> {
    let location = pb::Location {
        id: id.to_string(),
        name: args.name.clone().unwrap_or_else(|| id.to_string()),
        priority: args.priority,
        etag: String::new(),
    };
    let request = pb::UpsertLocationRequest {
        location: Some(location),
    };
    let answer = shop
        .inventory
        .change(
            &args.key.or_new(),
            request,
            |mut client, request| async move { client.upsert_location(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        view::locations(answer.location.as_slice())
    })
}

async fn list(shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListLocationsResponse::default();
    loop {
        let request = pb::ListLocationsRequest {
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop
            .inventory
            .ask(request, |mut client, request| async move {
                client.list_locations(request).await
            });
        let page = page.await?;
        all.locations.extend(page.locations);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() {
            break;
        }
    }
    output.message(&all, |all| view::locations(&all.locations))
}
