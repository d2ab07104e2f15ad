use crate::world::{Effects, GROUP, World, until};
use outbox::{HandleError, Received, parked, release_parked};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use uuid::Uuid;

/// Fails on one event until it is healed.
struct Poison {
    healed: Arc<AtomicBool>,
    effects: Effects,
}

impl Poison {
    fn new(is_poison: impl Fn(&Received) -> bool + Send + Sync + 'static) -> Self {
        let healed = Arc::new(AtomicBool::new(false));
        let flag = healed.clone();
        let effects =
            Effects::after(
                move |event| match is_poison(event) && !flag.load(Ordering::SeqCst) {
                    true => Err(HandleError::failed("poison")),
                    false => Ok(()),
                },
            );
        Self { healed, effects }
    }

    fn heal(&self) {
        self.healed.store(true, Ordering::SeqCst);
    }
}

async fn parked_sequences(world: &World) -> Vec<(i64, Option<String>)> {
    let mut conn = world.db.acquire().await.unwrap();
    let parked = parked(&mut conn, 100).await.unwrap();
    assert!(parked.iter().all(|parked| parked.group == GROUP));
    parked
        .into_iter()
        .map(|parked| (parked.event.sequence, parked.error))
        .collect()
}

async fn release(world: &World, aggregate: Uuid) -> u64 {
    let mut conn = world.db.acquire().await.unwrap();
    release_parked(&mut conn, GROUP, aggregate).await.unwrap()
}

#[tokio::test]
async fn a_poison_event_parks_its_aggregate_until_released_and_the_others_go_on() {
    let world = World::new().await;
    let (sick, well) = (Uuid::now_v7(), Uuid::now_v7());
    for sequence in 1..=4 {
        world.append(sick, [sequence]).await;
        world.append(well, [sequence]).await;
    }
    let poison = Poison::new(move |event| event.aggregate == sick && event.sequence == 2);
    let relay = world.relay();
    let consumer = world.consumer("one", poison.effects.clone());
    until("parked", async || parked_sequences(&world).await.len() == 3).await;
    until("the others", async || {
        world.effects_of(well).await.len() == 4
    })
    .await;
    assert_eq!(world.effects_of(sick).await, [1]);
    let tries = poison.effects.tried.lock().unwrap().clone();
    let tries_of = |sequence| {
        let tried = tries.iter().filter(|event| event.aggregate == sick);
        tried.filter(|event| event.sequence == sequence).count()
    };
    assert_eq!([1, 2, 3, 4].map(tries_of), [1, 5, 0, 0]);

    // Later events queue up behind, those of others pass.
    world.append(sick, [5]).await;
    world.append(well, [5]).await;
    until("parked too", async || {
        parked_sequences(&world).await.len() == 4
    })
    .await;
    assert_eq!(
        parked_sequences(&world).await,
        [
            (2, Some("poison".to_owned())),
            (3, None),
            (4, None),
            (5, None)
        ]
    );
    until("the others", async || {
        world.effects_of(well).await.len() == 5
    })
    .await;

    poison.heal();
    assert_eq!(release(&world, sick).await, 4);
    until("released", async || {
        parked_sequences(&world).await.is_empty()
    })
    .await;
    world.append(sick, [6]).await;
    until("the next", async || world.effects_of(sick).await.len() >= 6).await;
    assert_eq!(world.effects_of(sick).await, [1, 2, 3, 4, 5, 6]);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn what_fails_again_after_its_release_is_parked_again_in_order() {
    let world = World::new().await;
    let sick = Uuid::now_v7();
    world.append(sick, 1..=3).await;
    let poison = Poison::new(|event| event.sequence == 1);
    let relay = world.relay();
    let consumer = world.consumer("one", poison.effects.clone());
    until("parked", async || parked_sequences(&world).await.len() == 3).await;
    release(&world, sick).await;
    let released = "select count(*) from inbox_parked where released";
    until("parked again", async || {
        poison.effects.tries() == 10 && world.count(released).await == 0
    })
    .await;
    assert!(world.effects().await.is_empty());
    poison.heal();
    release(&world, sick).await;
    until("released", async || world.effects().await.len() >= 3).await;
    assert_eq!(world.effects_of(sick).await, [1, 2, 3]);
    until("empty", async || parked_sequences(&world).await.is_empty()).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_handler_that_panics_parks_the_event_and_lives_on() {
    let world = World::new().await;
    let (sick, well) = (Uuid::now_v7(), Uuid::now_v7());
    world.append(sick, [1]).await;
    let buggy = Effects::after(move |event| {
        assert!(event.aggregate != sick, "a bug");
        Ok(())
    });
    let relay = world.relay();
    let consumer = world.consumer("one", buggy);
    until("parked", async || parked_sequences(&world).await.len() == 1).await;
    world.append(well, [1]).await;
    until("the next", async || world.effects_of(well).await == [1]).await;
    assert!(world.effects_of(sick).await.is_empty());
    relay.stop().await;
    consumer.stop().await;
}
