use api::inventory::v1 as pb;
use pb::ReservationState as State;
use prost::Message;
use rpc::Reason;

use crate::world::{World, call, fresh_key, item, order, refused};

#[tokio::test]
async fn stock_on_hand_goes_up_and_down_and_each_move_is_recorded() {
    let world = World::new().await;
    world.item(item("A")).await;
    let added = world.adjust("A", 7, false).await.unwrap().level.unwrap();
    assert_eq!((added.on_hand, added.available), (7, 7));
    world.adjust("A", -3, false).await.unwrap();
    world.set("main", "A", 20).await;
    world.set("main", "A", 20).await;
    let message = pb::ListMovementsRequest {
        sku: "A".to_owned(),
        ..Default::default()
    };
    let movements = world.client().list_movements(message).await.unwrap();
    let movements: Vec<_> = movements
        .into_inner()
        .movements
        .iter()
        .map(|one| (one.kind(), one.delta, one.on_hand_after, one.reason.clone()))
        .collect();
    let (adjust, set) = (pb::MovementKind::Adjust, pb::MovementKind::Set);
    assert_eq!(
        movements,
        [
            (adjust, 7, 7, "broken".to_owned()),
            (adjust, -3, 4, "broken".to_owned()),
            (set, 16, 20, "count".to_owned()),
        ]
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn stock_never_goes_below_nothing() {
    let world = World::new().await;
    world.item(item("A")).await;
    assert_eq!(
        refused(world.adjust("A", -1, true).await),
        Reason::InsufficientStock
    );
    world.set("main", "A", 2).await;
    assert_eq!(
        refused(world.adjust("A", -3, true).await),
        Reason::InsufficientStock
    );
    assert_eq!(world.counts("A").await, (2, 0, 0));
}

#[tokio::test]
async fn names_that_were_never_registered_are_refused() {
    let world = World::new().await;
    world.item(item("A")).await;
    assert_eq!(
        refused(world.adjust("X", 1, false).await),
        Reason::UnknownSku
    );
    let message = pb::SetStockRequest {
        sku: "A".to_owned(),
        location_id: "moon".to_owned(),
        on_hand: 1,
        reason: "count".to_owned(),
        ..Default::default()
    };
    let set = call!(world.client(), set_stock, &fresh_key(), message);
    assert_eq!(refused(set), Reason::UnknownLocation);
    let unknown = pb::GetStockRequest {
        sku: "X".to_owned(),
    };
    assert_eq!(
        refused(world.client().get_stock(unknown).await),
        Reason::NotFound
    );
    assert_eq!(world.count("select count(*) from stock_levels").await, 0);
}

#[tokio::test]
async fn promised_stock_is_not_taken_unless_forced() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let old = world.committed(&[("A", 3)]).await;
    let new = world.committed(&[("A", 3)]).await;
    let held = order();
    world.reserve(&held, &[("A", 2)]).await.unwrap();
    assert_eq!(
        refused(world.adjust("A", -3, false).await),
        Reason::StockCommitted
    );
    assert_eq!(world.counts("A").await, (10, 2, 6));

    // Two short: the hold goes first, and it is enough.
    let forced = world.adjust("A", -4, true).await.unwrap();
    assert_eq!(forced.shortfall_order_ids, std::slice::from_ref(&held));
    assert_eq!(world.state(&held).await, State::Released);
    assert_eq!(world.counts("A").await, (6, 0, 6));

    // Then the newest promise, as a whole.
    let forced = world.adjust("A", -1, true).await.unwrap();
    assert_eq!(forced.shortfall_order_ids, std::slice::from_ref(&new));
    assert_eq!(world.state(&new).await, State::Released);
    assert_eq!(world.state(&old).await, State::Committed);
    assert_eq!(world.counts("A").await, (5, 0, 3));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_shortfall_is_told_for_each_order() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    world.stocked("B", 10).await;
    let first = world.committed(&[("A", 4), ("B", 1)]).await;
    let second = world.committed(&[("A", 4), ("B", 2)]).await;
    let message = pb::SetStockRequest {
        sku: "A".to_owned(),
        on_hand: 1,
        force: true,
        reason: "fire".to_owned(),
        ..Default::default()
    };
    let set = call!(world.client(), set_stock, &fresh_key(), message).unwrap();
    let broken = set.into_inner().shortfall_order_ids;
    assert_eq!(broken, [second.clone(), first.clone()]);
    assert_eq!(world.counts("B").await, (10, 0, 0));

    let mut conn = world.test.db.acquire().await.unwrap();
    let told: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
        "select aggregate::text, sequence, payload
         from outbox
         where kind = 'stock_shortfall'
           and topic = 'cartwright.inventory.v1'
         order by position",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let told: Vec<_> = told
        .into_iter()
        .map(|(order, sequence, payload)| {
            let event = pb::InventoryEvent::decode(payload.as_slice()).unwrap();
            assert_eq!(event.order_id, order);
            (order, sequence, event.event.unwrap())
        })
        .collect();
    let shortfall = || {
        pb::inventory_event::Event::StockShortfall(pb::StockShortfall {
            sku: "A".to_owned(),
            location_id: "main".to_owned(),
            quantity: 4,
        })
    };
    assert_eq!(told, [(second, 1, shortfall()), (first, 1, shortfall())]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_shipped_of_a_broken_promise_may_still_come_back() {
    let world = World::new().await;
    world.stocked("A", 5).await;
    let order_id = world.committed(&[("A", 5)]).await;
    world
        .fulfill(&order_id, &order(), &[("A", 2)])
        .await
        .unwrap();
    let forced = world.adjust("A", -2, true).await.unwrap();
    assert_eq!(forced.shortfall_order_ids, std::slice::from_ref(&order_id));
    world
        .take_back(&order_id, &order(), &[("A", 2)], "")
        .await
        .unwrap();
    assert_eq!(world.counts("A").await, (3, 0, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_level_changes_only_for_who_read_it_last() {
    let world = World::new().await;
    world.item(item("A")).await;
    let read = world.set("main", "A", 5).await;
    let set = |on_hand: i64, etag: &str| {
        let message = pb::SetStockRequest {
            sku: "A".to_owned(),
            on_hand,
            reason: "count".to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        };
        let client = world.client();
        async move { call!(client, set_stock, &fresh_key(), message) }
    };
    set(6, &read.etag).await.unwrap();
    assert_eq!(refused(set(7, &read.etag).await), Reason::EtagMismatch);
    let message = pb::AdjustStockRequest {
        sku: "A".to_owned(),
        delta: 1,
        reason: "found".to_owned(),
        etag: read.etag.clone(),
        ..Default::default()
    };
    let adjusted = call!(world.client(), adjust_stock, &fresh_key(), message);
    assert_eq!(refused(adjusted), Reason::EtagMismatch);
    assert_eq!(world.counts("A").await, (6, 0, 0));
}

#[tokio::test]
async fn only_free_stock_moves_to_another_location() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    world.location("north", 1).await;
    world.committed(&[("A", 4)]).await;
    let transfer = |quantity: i64, to: &str| {
        let message = pb::TransferStockRequest {
            sku: "A".to_owned(),
            from_location_id: "main".to_owned(),
            to_location_id: to.to_owned(),
            quantity,
            reason: "balance".to_owned(),
        };
        let client = world.client();
        async move { call!(client, transfer_stock, &fresh_key(), message) }
    };
    assert_eq!(
        refused(transfer(7, "north").await),
        Reason::InsufficientStock
    );
    assert_eq!(world.levels("A").await.len(), 1, "a refusal leaves nothing");
    assert_eq!(refused(transfer(1, "moon").await), Reason::UnknownLocation);
    let moved = transfer(6, "north").await.unwrap().into_inner();
    assert_eq!(
        (moved.from.unwrap().on_hand, moved.to.unwrap().on_hand),
        (4, 6)
    );
    assert_eq!(world.counts("A").await, (10, 0, 4));
    world.assert_sound().await;
}

#[tokio::test]
async fn an_item_changes_only_for_who_read_it_last() {
    let world = World::new().await;
    let read = world.item(item("A")).await;
    assert_eq!(read.stock_tracked, Some(true));
    let changed = world
        .item(pb::Item {
            title: "new".to_owned(),
            ..read.clone()
        })
        .await;
    assert_ne!(changed.etag, read.etag);
    let message = pb::UpsertItemRequest { item: Some(read) };
    let stale = call!(world.client(), upsert_item, &fresh_key(), message);
    assert_eq!(refused(stale), Reason::EtagMismatch);
    let unknown = pb::Item {
        etag: "1".to_owned(),
        ..item("B")
    };
    let message = pb::BatchUpsertItemsRequest {
        items: vec![item("C"), unknown],
    };
    let batch = call!(world.client(), batch_upsert_items, &fresh_key(), message);
    assert_eq!(refused(batch), Reason::EtagMismatch);
    let all = "select count(*) from items";
    assert_eq!(world.count(all).await, 1, "all or none");
}

#[tokio::test]
async fn a_location_changes_only_for_who_read_it_last() {
    let world = World::new().await;
    let upsert = |name: &str, etag: &str| {
        let location = pb::Location {
            id: "north".to_owned(),
            name: name.to_owned(),
            priority: 3,
            etag: etag.to_owned(),
        };
        let message = pb::UpsertLocationRequest {
            location: Some(location),
        };
        let client = world.client();
        async move { call!(client, upsert_location, &fresh_key(), message) }
    };
    assert_eq!(refused(upsert("a", "1").await), Reason::EtagMismatch);
    let made = upsert("a", "")
        .await
        .unwrap()
        .into_inner()
        .location
        .unwrap();
    upsert("b", &made.etag).await.unwrap();
    assert_eq!(refused(upsert("c", &made.etag).await), Reason::EtagMismatch);
}

#[tokio::test]
async fn a_backorder_limit_cannot_fall_below_what_is_promised() {
    let world = World::new().await;
    let limit = |backorder_limit: i64| pb::UpsertItemRequest {
        item: Some(pb::Item {
            backorder_limit,
            ..item("A")
        }),
    };
    call!(world.client(), upsert_item, &fresh_key(), limit(5)).unwrap();
    world.set("main", "A", 0).await;
    world.committed(&[("A", 3)]).await;
    let less = call!(world.client(), upsert_item, &fresh_key(), limit(2));
    assert_eq!(refused(less), Reason::StockCommitted);
    call!(world.client(), upsert_item, &fresh_key(), limit(3)).unwrap();
    assert_eq!(
        refused(world.reserve(&order(), &[("A", 1)]).await),
        Reason::OutOfStock
    );
    world.assert_sound().await;
}
