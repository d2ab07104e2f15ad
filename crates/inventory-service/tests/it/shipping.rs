use api::inventory::v1 as pb;
use pb::ReservationState as State;
use rpc::Reason;

use crate::world::{World, order, refused};

#[tokio::test]
async fn goods_leave_once_per_fulfillment_id() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let order_id = world.committed(&[("A", 5)]).await;
    let first = order();
    let partly = world.fulfill(&order_id, &first, &[("A", 2)]).await.unwrap();
    assert_eq!(
        (partly.state(), partly.lines[0].fulfilled),
        (State::Committed, 2)
    );
    let again = world.fulfill(&order_id, &first, &[("A", 2)]).await.unwrap();
    assert_eq!(again, partly);
    assert_eq!(world.counts("A").await, (8, 0, 3));
    let rest = world.fulfill(&order_id, &order(), &[]).await.unwrap();
    assert_eq!(
        (rest.state(), rest.lines[0].fulfilled),
        (State::Fulfilled, 5)
    );
    assert_eq!(world.counts("A").await, (5, 0, 0));
    let nothing_left = world.fulfill(&order_id, &order(), &[]).await.unwrap();
    assert_eq!(nothing_left, rest);
    let movements = "select count(*) from stock_movements where kind = 3";
    assert_eq!(world.count(movements).await, 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn no_more_leaves_than_is_left() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let order_id = world.committed(&[("A", 5)]).await;
    let too_many = world
        .fulfill(&order_id, &order(), &[("A", 3), ("A", 3)])
        .await;
    assert_eq!(refused(too_many), Reason::ExceedsRemaining);
    let other = world.fulfill(&order_id, &order(), &[("B", 1)]).await;
    assert_eq!(refused(other), Reason::ExceedsRemaining);
    world.fulfill(&order_id, &order(), &[]).await.unwrap();
    let after = world.fulfill(&order_id, &order(), &[("A", 1)]).await;
    assert_eq!(refused(after), Reason::ExceedsRemaining);
    world.assert_sound().await;
}

#[tokio::test]
async fn only_what_is_promised_leaves() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let held = order();
    world.reserve(&held, &[("A", 1)]).await.unwrap();
    let early = world.fulfill(&held, &order(), &[]).await;
    assert_eq!(refused(early), Reason::IllegalTransition);
    world.release(&held).await.unwrap();
    let late = world.fulfill(&held, &order(), &[]).await;
    assert_eq!(refused(late), Reason::ReservationReleased);
    let unknown = world.fulfill(&order(), &order(), &[]).await;
    assert_eq!(refused(unknown), Reason::NotFound);
}

#[tokio::test]
async fn what_has_shipped_cannot_be_released() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let order_id = world.committed(&[("A", 5)]).await;
    world
        .fulfill(&order_id, &order(), &[("A", 1)])
        .await
        .unwrap();
    assert_eq!(
        refused(world.release(&order_id).await),
        Reason::IllegalTransition
    );
    world.fulfill(&order_id, &order(), &[]).await.unwrap();
    assert_eq!(
        refused(world.release(&order_id).await),
        Reason::IllegalTransition
    );
    assert_eq!(
        world.commit(&order_id).await.unwrap().state(),
        State::Fulfilled
    );
}

#[tokio::test]
async fn goods_come_back_once_per_return_id_and_never_more_than_left() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let order_id = world.committed(&[("A", 5)]).await;
    let early = world.take_back(&order_id, &order(), &[("A", 1)], "").await;
    assert_eq!(refused(early), Reason::ExceedsRemaining);
    world
        .fulfill(&order_id, &order(), &[("A", 4)])
        .await
        .unwrap();
    let id = order();
    world
        .take_back(&order_id, &id, &[("A", 3)], "")
        .await
        .unwrap();
    world
        .take_back(&order_id, &id, &[("A", 3)], "")
        .await
        .unwrap();
    assert_eq!(world.counts("A").await, (9, 0, 1));
    let too_many = world.take_back(&order_id, &order(), &[("A", 2)], "").await;
    assert_eq!(refused(too_many), Reason::ExceedsRemaining);
    world
        .take_back(&order_id, &order(), &[("A", 1)], "")
        .await
        .unwrap();
    assert_eq!(world.counts("A").await, (10, 0, 1));
    world.assert_sound().await;
}

#[tokio::test]
async fn goods_may_come_back_to_another_location() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    world.location("returns", 9).await;
    let order_id = world.committed(&[("A", 5)]).await;
    world.fulfill(&order_id, &order(), &[]).await.unwrap();
    let nowhere = world
        .take_back(&order_id, &order(), &[("A", 1)], "moon")
        .await;
    assert_eq!(refused(nowhere), Reason::UnknownLocation);
    world
        .take_back(&order_id, &order(), &[("A", 2)], "returns")
        .await
        .unwrap();
    let levels = world.levels("A").await;
    let on_hand: Vec<_> = levels
        .iter()
        .map(|level| (level.location_id.as_str(), level.on_hand))
        .collect();
    assert_eq!(on_hand, [("main", 5), ("returns", 2)]);
    world.assert_sound().await;
}

#[tokio::test]
async fn split_goods_leave_from_and_return_to_where_they_were() {
    let world = World::new().await;
    world.stocked("A", 2).await;
    world.location("north", 1).await;
    world.set("north", "A", 5).await;
    let order_id = world.committed(&[("A", 4)]).await;
    world
        .fulfill(&order_id, &order(), &[("A", 3)])
        .await
        .unwrap();
    assert_eq!(world.counts("A").await, (4, 0, 1));
    world.fulfill(&order_id, &order(), &[]).await.unwrap();
    world
        .take_back(&order_id, &order(), &[("A", 4)], "")
        .await
        .unwrap();
    let on_hand: Vec<_> = world
        .levels("A")
        .await
        .iter()
        .map(|level| level.on_hand)
        .collect();
    assert_eq!(on_hand, [2, 5]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_backorder_ships_when_the_goods_are_there() {
    let world = World::new().await;
    let scarce = pb::Item {
        backorder_limit: 5,
        ..crate::world::item("A")
    };
    world.item(scarce).await;
    world.set("main", "A", 2).await;
    let order_id = world.committed(&[("A", 5)]).await;
    let early = world.fulfill(&order_id, &order(), &[]).await;
    assert_eq!(refused(early), Reason::InsufficientStock);
    world
        .fulfill(&order_id, &order(), &[("A", 2)])
        .await
        .unwrap();
    world.adjust("A", 3, false).await.unwrap();
    let rest = world.fulfill(&order_id, &order(), &[]).await.unwrap();
    assert_eq!(rest.state(), State::Fulfilled);
    world.assert_sound().await;
}
