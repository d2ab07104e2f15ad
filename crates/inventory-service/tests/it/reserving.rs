use api::inventory::v1 as pb;
use futures::future::join_all;
use rpc::{Reason, Remote};

use crate::world::{Plan, World, item, order, reason, refused, wish};

#[tokio::test(flavor = "multi_thread")]
async fn of_500_parallel_reservations_of_one_on_100_units_exactly_100_are_held() {
    let world = World::of(Plan {
        replicas: 2,
        ..Plan::default()
    })
    .await;
    world.stocked("A", 100).await;
    let orders: Vec<String> = (0..500).map(|_| order()).collect();
    let wanted = [("A", 1)];
    let answers = join_all(orders.iter().map(|order| world.reserve(order, &wanted))).await;
    let held = answers.iter().filter(|answer| answer.is_ok()).count();
    let short = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .filter(|status| reason(status) == Reason::OutOfStock)
        .count();
    assert_eq!((held, short), (100, 400));
    assert_eq!(world.counts("A").await, (100, 100, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn one_sku_on_two_lines_is_one_demand() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let two_lines = [("A", 3), ("A", 3)];
    let status = world.reserve(&order(), &two_lines).await.unwrap_err();
    assert_eq!(reason(&status), Reason::OutOfStock);
    assert_eq!(Remote::from(&status).metadata["short.A"], "6/5");

    let reserved = world
        .reserve(&order(), &[("A", 2), ("A", 3)])
        .await
        .unwrap();
    assert_eq!(reserved.lines.len(), 1);
    assert_eq!(reserved.lines[0].quantity, 5);
}

#[tokio::test]
async fn thirteen_units_over_locations_with_ten_and_fifteen_are_split_ten_and_three() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    world.location("north", 1).await;
    world.set("north", "A", 15).await;
    let reserved = world.reserve(&order(), &[("A", 13)]).await.unwrap();
    let parts: Vec<_> = reserved.lines[0]
        .allocations
        .iter()
        .map(|part| (part.location_id.as_str(), part.quantity))
        .collect();
    assert_eq!(parts, [("main", 10), ("north", 3)]);

    let most = pb::ReserveRequest {
        strategy: pb::AllocationStrategy::MostAvailable.into(),
        ..wish(&order(), &[("A", 1)])
    };
    let reserved = world.ask(most).await.unwrap();
    assert_eq!(reserved.lines[0].allocations[0].location_id, "north");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_refusal_names_every_short_line_and_holds_nothing() {
    let world = World::new().await;
    for (sku, on_hand) in [("A", 10), ("B", 1), ("C", 0)] {
        world.stocked(sku, on_hand).await;
    }
    let wanted = [("A", 2), ("B", 3), ("C", 4)];
    let status = world.reserve(&order(), &wanted).await.unwrap_err();
    let remote = Remote::from(&status);
    assert_eq!(remote.reason, Some(Reason::OutOfStock));
    assert_eq!(remote.metadata["short.B"], "3/1");
    assert_eq!(remote.metadata["short.C"], "4/0");
    assert!(!remote.metadata.contains_key("short.A"));
    let details = tonic_types::StatusExt::get_error_details(&status);
    let violations = &details.precondition_failure().unwrap().violations;
    assert_eq!(violations.len(), 2);
    assert_eq!(violations[0].r#type, "STOCK");
    assert_eq!(violations[0].subject, "B");
    assert_eq!(violations[0].description, "requested 3, available 1");
    assert_eq!(world.counts("A").await, (10, 0, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_thousand_short_lines_are_still_an_answer() {
    let world = World::new().await;
    let skus: Vec<String> = (0..1000).map(|n| format!("SKU-{n:04}")).collect();
    let items = skus.iter().map(|sku| item(sku)).collect();
    let message = pb::BatchUpsertItemsRequest { items };
    crate::world::call!(world.client(), batch_upsert_items, "items", message).unwrap();
    let wanted: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    let status = world.reserve(&order(), &wanted).await.unwrap_err();
    assert_eq!(reason(&status), Reason::OutOfStock);
    assert!(
        Remote::from(&status)
            .metadata
            .contains_key("short.SKU-0000")
    );
}

#[tokio::test]
async fn partly_means_what_there_is_of_each_line() {
    let world = World::new().await;
    world.stocked("A", 2).await;
    world.stocked("B", 0).await;
    let partly = |wanted: &[(&str, i64)]| pb::ReserveRequest {
        allow_partial: true,
        ..wish(&order(), wanted)
    };
    let reserved = world.ask(partly(&[("A", 5), ("B", 1)])).await.unwrap();
    assert_eq!(reserved.lines.len(), 1);
    assert_eq!(reserved.lines[0].quantity, 2);
    let nothing = world.ask(partly(&[("A", 5), ("B", 1)])).await;
    assert_eq!(refused(nothing), Reason::OutOfStock);
    world.assert_sound().await;
}

#[tokio::test]
async fn unknown_skus_are_all_named() {
    let world = World::new().await;
    world.stocked("A", 1).await;
    let wanted = [("A", 1), ("X", 1), ("Y", 1)];
    let status = world.reserve(&order(), &wanted).await.unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownSku);
    assert!(status.message().contains("X, Y"), "{}", status.message());
    assert_eq!(world.counts("A").await, (1, 0, 0));
}

#[tokio::test]
async fn the_same_lines_again_answer_with_the_reservation_that_stands() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    world.stocked("B", 10).await;
    let order = order();
    let first = world.reserve(&order, &[("A", 2), ("B", 1)]).await.unwrap();
    let again = world.reserve(&order, &[("B", 1), ("A", 1), ("A", 1)]).await;
    assert_eq!(again.unwrap(), first);
    let other = world.reserve(&order, &[("A", 3), ("B", 1)]).await;
    assert_eq!(refused(other), Reason::ReservationDiffers);
    let committed = world.commit(&order).await.unwrap();
    let after = world.reserve(&order, &[("A", 2), ("B", 1)]).await.unwrap();
    assert_eq!(after, committed);
    assert_eq!(world.counts("A").await, (10, 0, 2));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_not_counted_is_always_there() {
    let world = World::new().await;
    let postage = pb::Item {
        stock_tracked: Some(false),
        ..item("POST")
    };
    world.item(postage).await;
    let order = order();
    let reserved = world.reserve(&order, &[("POST", 1_000)]).await.unwrap();
    assert!(reserved.lines[0].allocations.is_empty());
    assert_eq!(
        reserved.lines[0].list_price.as_ref().unwrap().minor_units,
        999
    );
    world.commit(&order).await.unwrap();
    let shipped = world.fulfill(&order, &crate::world::order(), &[]).await;
    assert_eq!(shipped.unwrap().state(), pb::ReservationState::Fulfilled);
    let id = crate::world::order();
    let back = world.take_back(&order, &id, &[("POST", 1)], "").await;
    back.unwrap();
    world.assert_sound().await;
}

#[tokio::test]
async fn backorders_are_promised_up_to_their_limit() {
    let world = World::new().await;
    let scarce = pb::Item {
        backorder_limit: 3,
        ..item("A")
    };
    world.item(scarce).await;
    world.set("main", "A", 2).await;
    world.committed(&[("A", 4)]).await;
    assert_eq!(
        refused(world.reserve(&order(), &[("A", 2)]).await),
        Reason::OutOfStock
    );
    world.reserve(&order(), &[("A", 1)]).await.unwrap();
    assert_eq!(world.levels("A").await[0].available, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn safety_stock_is_never_sold() {
    let world = World::new().await;
    world.item(item("A")).await;
    let message = pb::SetStockRequest {
        sku: "A".to_owned(),
        on_hand: 5,
        safety_stock: Some(3),
        reason: "count".to_owned(),
        ..Default::default()
    };
    crate::world::call!(world.client(), set_stock, "set", message).unwrap();
    assert_eq!(
        refused(world.reserve(&order(), &[("A", 3)]).await),
        Reason::OutOfStock
    );
    world.reserve(&order(), &[("A", 2)]).await.unwrap();
}

#[tokio::test]
async fn availability_says_what_could_be_reserved() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let ask = |wanted: &[(&str, i64)]| {
        let lines = crate::world::lines(wanted);
        let message = pb::CheckAvailabilityRequest { lines };
        let mut client = world.client();
        async move {
            client
                .check_availability(message)
                .await
                .unwrap()
                .into_inner()
        }
    };
    let enough = ask(&[("A", 2), ("A", 3)]).await;
    assert!(enough.available);
    assert_eq!(enough.items[0].requested, 5);
    let short = ask(&[("A", 6), ("X", 1)]).await;
    assert!(!short.available);
    assert_eq!((short.items[0].available, short.items[0].known), (5, true));
    assert_eq!((short.items[1].available, short.items[1].known), (0, false));
}
