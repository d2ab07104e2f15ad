//! Many clients at once on two replicas: whatever wins, the invariants hold,
//! and no two transactions ever wait for each other.

use futures::future::join_all;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rpc::Reason;

use crate::{
    model::{ask, small_shop},
    ops::op,
    world::{Plan, World, reason},
};

const CLIENTS: usize = 24;
const VERBS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn random_verbs_by_many_at_once_leave_a_sound_shop_and_no_deadlock() {
    let world = World::of(Plan {
        replicas: 2,
        sweep_interval_ms: 20,
        ..Plan::default()
    })
    .await;
    small_shop(&world).await;
    let mut runner = TestRunner::default();
    let plans: Vec<Vec<_>> = (0..CLIENTS)
        .map(|_| {
            let next = |_| op().new_tree(&mut runner).unwrap().current();
            (0..VERBS).map(next).collect()
        })
        .collect();
    let world = &world;
    let clients = plans.iter().map(|plan| async move {
        for op in plan {
            if let Err(status) = ask(world, op).await {
                let reason = reason(&status);
                let is_bug = matches!(reason, Reason::Internal | Reason::Unavailable);
                assert!(!is_bug, "{op:?}: {status:?}");
            }
        }
    });
    join_all(clients).await;
    world.assert_sound().await;
    // Statistics are written when a session pauses or ends.
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.count(deadlocks).await, 0);
}
