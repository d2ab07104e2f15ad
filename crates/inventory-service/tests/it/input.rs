use api::inventory::v1 as pb;
use rpc::Reason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{World, call, fresh_key, item, lines, order, reason, wish};

/// The fields that a refusal names.
#[track_caller]
fn fields<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let status = result.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(&status), Reason::InvalidField);
    let details = status.get_error_details();
    let violations = &details.bad_request().expect("violations").field_violations;
    violations.iter().map(|one| one.field.clone()).collect()
}

#[tokio::test]
async fn a_quantity_is_1_to_a_million() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    for quantity in [0, -1, 1_000_001, 1 << 31, i64::MAX, i64::MIN] {
        let wanted = [("A", 1), ("A", 1), ("A", 1), ("A", quantity)];
        let named = fields(world.reserve(&order(), &wanted).await);
        assert_eq!(named, ["lines[3].quantity"], "{quantity}");
        let message = pb::CheckAvailabilityRequest {
            lines: lines(&[("A", quantity)]),
        };
        let checked = world.client().check_availability(message).await;
        assert_eq!(fields(checked), ["lines[0].quantity"]);
        let order_id = order();
        let shipped = world.fulfill(&order_id, &order(), &[("A", quantity)]).await;
        assert_eq!(fields(shipped), ["lines[0].quantity"]);
        let back = world
            .take_back(&order_id, &order(), &[("A", quantity)], "")
            .await;
        assert_eq!(fields(back), ["lines[0].quantity"]);
    }
    let nothing = "select (select count(*) from reservations)
                   + (select count(*) from idempotency_keys where method = 'Reserve')";
    assert_eq!(world.count(nothing).await, 0);
}

#[tokio::test]
async fn every_bad_field_of_a_reserve_is_named() {
    let world = World::new().await;
    let good = wish(&order(), &[("A", 1)]);
    let ttl = |seconds, nanos| pb::ReserveRequest {
        ttl: Some(prost_types::Duration { seconds, nanos }),
        ..good.clone()
    };
    let bad_sku = |sku: &str| wish(&order(), &[(sku, 1)]);
    let cases = [
        (
            pb::ReserveRequest {
                order_id: String::new(),
                ..good.clone()
            },
            "order_id",
        ),
        (
            pb::ReserveRequest {
                order_id: "x".to_owned(),
                ..good.clone()
            },
            "order_id",
        ),
        (wish(&order(), &[]), "lines"),
        (wish(&order(), &vec![("A", 1); 1_001]), "lines"),
        (bad_sku(""), "lines[0].sku"),
        (bad_sku(" A"), "lines[0].sku"),
        (bad_sku("Ä"), "lines[0].sku"),
        (bad_sku(&"A".repeat(65)), "lines[0].sku"),
        (ttl(0, 0), "ttl"),
        (ttl(0, 999_999_999), "ttl"),
        (ttl(-5, 0), "ttl"),
        (ttl(86_401, 0), "ttl"),
        (
            pb::ReserveRequest {
                strategy: 9,
                ..good.clone()
            },
            "strategy",
        ),
    ];
    for (message, field) in cases {
        assert_eq!(fields(world.ask(message).await), [field]);
    }
    let all = pb::ReserveRequest {
        order_id: "x".to_owned(),
        strategy: 9,
        ..wish("", &[("", 0)])
    };
    let named = fields(world.ask(all).await);
    assert_eq!(
        named,
        ["order_id", "lines[0].sku", "lines[0].quantity", "strategy"]
    );
}

#[tokio::test]
async fn bad_fields_of_stock_changes_are_named() {
    let world = World::new().await;
    let adjust = |change: fn(&mut pb::AdjustStockRequest)| {
        let mut message = pb::AdjustStockRequest {
            sku: "A".to_owned(),
            delta: 1,
            reason: "r".to_owned(),
            ..Default::default()
        };
        change(&mut message);
        let client = world.client();
        async move { fields(call!(client, adjust_stock, &fresh_key(), message)) }
    };
    assert_eq!(adjust(|one| one.sku.clear()).await, ["sku"]);
    assert_eq!(adjust(|one| one.delta = 0).await, ["delta"]);
    assert_eq!(adjust(|one| one.delta = i64::MIN).await, ["delta"]);
    assert_eq!(adjust(|one| one.reason.clear()).await, ["reason"]);
    assert_eq!(adjust(|one| one.reason = "x".repeat(201)).await, ["reason"]);
    assert_eq!(
        adjust(|one| one.reason = "a\nb".to_owned()).await,
        ["reason"]
    );
    assert_eq!(
        adjust(|one| one.location_id = " x".to_owned()).await,
        ["location_id"]
    );
    assert_eq!(adjust(|one| one.etag = "x".to_owned()).await, ["etag"]);

    let set = |on_hand, safety_stock| {
        let message = pb::SetStockRequest {
            sku: "A".to_owned(),
            on_hand,
            safety_stock: Some(safety_stock),
            reason: "r".to_owned(),
            ..Default::default()
        };
        let client = world.client();
        async move { fields(call!(client, set_stock, &fresh_key(), message)) }
    };
    assert_eq!(set(-1, 0).await, ["on_hand"]);
    assert_eq!(set(i64::MAX, -1).await, ["on_hand", "safety_stock"]);

    let transfer = pb::TransferStockRequest {
        sku: "A".to_owned(),
        from_location_id: "main".to_owned(),
        to_location_id: "main".to_owned(),
        quantity: 0,
        reason: "r".to_owned(),
    };
    let named = fields(call!(
        world.client(),
        transfer_stock,
        &fresh_key(),
        transfer
    ));
    assert_eq!(named, ["to_location_id", "quantity"]);
}

#[tokio::test]
async fn bad_fields_of_items_and_locations_are_named() {
    let world = World::new().await;
    let upsert = |item: Option<pb::Item>| {
        let client = world.client();
        let message = pb::UpsertItemRequest { item };
        async move { fields(call!(client, upsert_item, &fresh_key(), message)) }
    };
    assert_eq!(upsert(None).await, ["item"]);
    let mut priced = item("A");
    priced.list_price.as_mut().unwrap().currency_code = "XXL".to_owned();
    assert_eq!(
        upsert(Some(priced)).await,
        ["item.list_price.currency_code"]
    );
    let mut negative = item("A");
    negative.list_price.as_mut().unwrap().minor_units = -1;
    assert_eq!(
        upsert(Some(negative)).await,
        ["item.list_price.minor_units"]
    );
    let bad = pb::Item {
        title: "x".repeat(201),
        backorder_limit: -1,
        etag: "x".to_owned(),
        ..item("")
    };
    let named = upsert(Some(bad)).await;
    assert_eq!(
        named,
        [
            "item.sku",
            "item.title",
            "item.backorder_limit",
            "item.etag"
        ]
    );

    let twice = pb::BatchUpsertItemsRequest {
        items: vec![item("A"), item("B"), item("A")],
    };
    let named = fields(call!(
        world.client(),
        batch_upsert_items,
        &fresh_key(),
        twice
    ));
    assert_eq!(named, ["items[2].sku"]);
    let none = pb::BatchUpsertItemsRequest { items: Vec::new() };
    let named = fields(call!(
        world.client(),
        batch_upsert_items,
        &fresh_key(),
        none
    ));
    assert_eq!(named, ["items"]);

    let message = pb::UpsertLocationRequest { location: None };
    let named = fields(call!(
        world.client(),
        upsert_location,
        &fresh_key(),
        message
    ));
    assert_eq!(named, ["location"]);
    assert_eq!(world.count("select count(*) from items").await, 0);
}

#[tokio::test]
async fn a_thousand_bad_lines_are_still_an_answer() {
    let world = World::new().await;
    let named = fields(world.reserve(&order(), &vec![("", 0); 1_000]).await);
    assert!(named.contains(&"lines[0].sku".to_owned()));
}

#[tokio::test]
async fn reads_name_bad_fields_too() {
    let world = World::new().await;
    let mut client = world.client();
    let message = pb::GetReservationRequest::default();
    assert_eq!(fields(client.get_reservation(message).await), ["order_id"]);
    let message = pb::ListReservationsRequest {
        state: 99,
        ..Default::default()
    };
    assert_eq!(fields(client.list_reservations(message).await), ["state"]);
    let message = pb::ListStockRequest {
        page_size: 101,
        ..Default::default()
    };
    assert_eq!(fields(client.list_stock(message).await), ["page_size"]);
    let message = pb::ListStockRequest {
        page_token: "x".to_owned(),
        ..Default::default()
    };
    let status = client.list_stock(message).await.unwrap_err();
    assert_eq!(reason(&status), Reason::PageTokenInvalid);
    let message = pb::WatchStockRequest {
        after_sequence: Some(-1),
        ..Default::default()
    };
    let watched = client.watch_stock(message).await.map(|_| ());
    assert_eq!(fields(watched), ["after_sequence"]);
    let unknown = pb::GetReservationRequest { order_id: order() };
    let status = client.get_reservation(unknown).await.unwrap_err();
    assert_eq!(reason(&status), Reason::NotFound);
}
