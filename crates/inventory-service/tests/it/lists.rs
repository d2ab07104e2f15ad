use api::inventory::v1 as pb;

use crate::world::{World, call, item, order};

/// Every page of a list; the server's tokens lead from one to the next.
macro_rules! pages {
    ($world:expr, $method:ident, $field:ident, $request:expr) => {{
        let (mut found, mut sizes, mut page_token) = (Vec::new(), Vec::new(), String::new());
        loop {
            let mut request = $request;
            request.page_token = page_token;
            let page = $world.client().$method(request).await.unwrap().into_inner();
            sizes.push(page.$field.len());
            found.extend(page.$field);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break (found, sizes);
            }
        }
    }};
}

#[tokio::test]
async fn pages_of_levels_have_every_level_once() {
    let world = World::new().await;
    world.location("north", 1).await;
    for n in 0..7 {
        let sku = format!("SKU {n}");
        world.stocked(&sku, n).await;
        world.set("north", &sku, n).await;
    }
    world.stocked("other", 1).await;
    let request = || pb::ListStockRequest {
        page_size: 4,
        ..Default::default()
    };
    let (found, sizes) = pages!(world, list_stock, levels, request());
    assert_eq!(sizes, [4, 4, 4, 3]);
    let spots: Vec<_> = found
        .iter()
        .map(|level| (level.sku.clone(), level.location_id.clone()))
        .collect();
    let mut expected: Vec<_> = (0..7)
        .flat_map(|n| ["main", "north"].map(|at| (format!("SKU {n}"), at.to_owned())))
        .collect();
    expected.push(("other".to_owned(), "main".to_owned()));
    assert_eq!(spots, expected);

    let at_north = pb::ListStockRequest {
        location_id: "north".to_owned(),
        sku_prefix: "SKU ".to_owned(),
        ..request()
    };
    let (found, sizes) = pages!(world, list_stock, levels, at_north.clone());
    assert_eq!((found.len(), sizes.len()), (7, 2));
}

#[tokio::test]
async fn pages_of_reservations_have_every_one_once_newest_first() {
    let world = World::new().await;
    world.stocked("A", 100).await;
    world.stocked("B", 100).await;
    let mut orders = Vec::new();
    for n in 0..11 {
        let id = order();
        let sku = if n % 2 == 0 { "A" } else { "B" };
        world.reserve(&id, &[(sku, 1)]).await.unwrap();
        if n % 3 == 0 {
            world.commit(&id).await.unwrap();
        }
        orders.push(id);
    }
    // As many made at one moment.
    world.sql("update reservations set created_at = now() where order_id in (select order_id from reservations order by order_id limit 6)").await;
    let request = |state: pb::ReservationState, sku: &str| pb::ListReservationsRequest {
        state: state.into(),
        sku: sku.to_owned(),
        page_size: 3,
        page_token: String::new(),
    };
    let any = pb::ReservationState::Unspecified;
    let (found, sizes) = pages!(world, list_reservations, reservations, request(any, ""));
    assert_eq!(sizes, [3, 3, 3, 2]);
    let mut ids: Vec<_> = found.iter().map(|one| one.order_id.clone()).collect();
    let times: Vec<_> = found
        .iter()
        .map(|one| one.create_time.map(|time| (time.seconds, time.nanos)))
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    assert!(found.iter().all(|one| one.lines.len() == 1));
    ids.sort();
    orders.sort();
    assert_eq!(ids, orders);

    let committed = pb::ReservationState::Committed;
    let (found, _) = pages!(
        world,
        list_reservations,
        reservations,
        request(committed, "A")
    );
    assert_eq!(found.len(), 2, "0 and 6");
}

#[tokio::test]
async fn a_page_of_long_reservations_is_shorter_so_that_it_fits_a_message() {
    let world = World::new().await;
    let sku = |n: usize| format!("{n:04}{}", "-".repeat(60));
    let postage = |n| pb::Item {
        stock_tracked: Some(false),
        ..item(&sku(n))
    };
    let message = pb::BatchUpsertItemsRequest {
        items: (0..1_000).map(postage).collect(),
    };
    call!(world.client(), batch_upsert_items, "items", message).unwrap();
    let skus: Vec<String> = (0..1_000).map(sku).collect();
    let wanted: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    for _ in 0..22 {
        world.reserve(&order(), &wanted).await.unwrap();
    }
    let request = || pb::ListReservationsRequest {
        page_size: 100,
        ..Default::default()
    };
    let (_, sizes) = pages!(world, list_reservations, reservations, request());
    assert_eq!(sizes, [20, 2]);
}

#[tokio::test]
async fn pages_of_movements_have_every_movement_once() {
    let world = World::new().await;
    world.stocked("A", 1).await;
    world.stocked("B", 1).await;
    for _ in 0..10 {
        world.adjust("A", 1, false).await.unwrap();
    }
    let request = || pb::ListMovementsRequest {
        sku: "A".to_owned(),
        page_size: 4,
        page_token: String::new(),
    };
    let (found, sizes) = pages!(world, list_movements, movements, request());
    assert_eq!(sizes, [4, 4, 3]);
    let after: Vec<_> = found.iter().map(|one| one.on_hand_after).collect();
    assert_eq!(after, (1..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_of_locations_have_every_location_once_in_order_of_priority() {
    let world = World::new().await;
    for (id, priority) in [("e", -1), ("d", 2), ("c", 2), ("b", 1), ("a", 3)] {
        world.location(id, priority).await;
    }
    let request = || pb::ListLocationsRequest {
        page_size: 2,
        page_token: String::new(),
    };
    let (found, sizes) = pages!(world, list_locations, locations, request());
    assert_eq!(sizes, [2, 2, 2]);
    let ids: Vec<_> = found.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["e", "main", "b", "c", "d", "a"]);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_filter_only() {
    let world = World::new().await;
    for sku in ["A1", "A2", "B1"] {
        world.stocked(sku, 1).await;
    }
    let request = |prefix: &str, token: &str| pb::ListStockRequest {
        sku_prefix: prefix.to_owned(),
        page_size: 1,
        page_token: token.to_owned(),
        ..Default::default()
    };
    let first = world.client().list_stock(request("A", "")).await.unwrap();
    let token = first.into_inner().next_page_token;
    let other = world.client().list_stock(request("B", &token)).await;
    assert_eq!(crate::world::refused(other), rpc::Reason::PageTokenInvalid);
    world
        .client()
        .list_stock(request("A", &token))
        .await
        .unwrap();
}
