//! The audit finds what it is there to find.

use crate::world::{World, order};

async fn world() -> World {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let shipped = world.committed(&[("A", 2)]).await;
    world.fulfill(&shipped, &order(), &[]).await.unwrap();
    world.committed(&[("A", 1)]).await;
    world.reserve(&order(), &[("A", 1)]).await.unwrap();
    world.release(&order()).await.unwrap();
    world.assert_sound().await;
    // What follows would be refused otherwise.
    world
        .sql(
            "alter table stock_levels drop constraint stock_levels_never_oversold;
             alter table reservation_lines drop constraint reservation_lines_returned_within;
             drop trigger stock_movements_no_change on stock_movements;",
        )
        .await;
    world
}

async fn breaks(sql: &str) -> Vec<String> {
    let world = world().await;
    world.sql(sql).await;
    let broken = world.violations().await;
    broken.iter().map(|one| one[..2].to_owned()).collect()
}

#[tokio::test]
async fn each_invariant_notices_its_breach() {
    for (sql, invariants) in [
        ("update stock_levels set safety_stock = 0, committed = 100", &["S1", "S2"][..]),
        ("update stock_levels set held = held + 1", &["S2"]),
        ("update reservation_lines set quantity = quantity + 1 where fulfilled = 0", &["S2"]),
        ("update stock_levels set on_hand = on_hand + 1", &["S3"]),
        ("update stock_movements set on_hand_after = on_hand_after + 1 where sequence = 1", &["S3"]),
        ("delete from stock_movements where kind = 3", &["S3", "S6"]),
        (
            "update reservations set expires_at = now() - interval '6 seconds' where state = 1",
            &["S4"],
        ),
        (
            "insert into reservation_lines (order_id, sku, location_id, quantity)
             select order_id, 'A', 'main', 1 from reservations where state = 6",
            &["S5"],
        ),
        ("update reservation_lines set returned = 3 where fulfilled = 2", &["S6"]),
        (
            "insert into outbox (created_at, sequence, event_id, aggregate, topic, kind, payload)
             values (now() - interval '61 seconds', 1, gen_random_uuid(), gen_random_uuid(), 't', 'k', '')",
            &["O6"],
        ),
        (
            "update idempotency_keys
             set state = 1, code = null, body = null, resource = gen_random_uuid(),
                 lease_until = now() - interval '61 seconds'",
            &["O8"],
        ),
    ] {
        assert_eq!(breaks(sql).await, invariants, "{sql}");
    }
}

#[tokio::test]
async fn movements_are_final() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let mut conn = world.test.db.acquire().await.unwrap();
    for sql in [
        "update stock_movements set delta = 2",
        "delete from stock_movements",
        "truncate stock_movements",
    ] {
        let error = sqlx::raw_sql(sql).execute(&mut *conn).await.unwrap_err();
        assert!(
            error.to_string().contains("never changed"),
            "{sql}: {error}"
        );
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_oversell() {
    let world = World::new().await;
    world.stocked("A", 10).await;
    let mut conn = world.test.db.acquire().await.unwrap();
    for sql in [
        "update stock_levels set held = 11",
        "update stock_levels set on_hand = -1",
        "update stock_levels set committed = -1",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&mut *conn).await;
        assert!(refused.is_err(), "{sql}");
    }
}
