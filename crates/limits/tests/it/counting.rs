use std::time::{Duration, Instant};

use limits::{Quota, Settings};

use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_on_two_replicas_get_the_burst_and_not_one_more() {
    let redis = testkit::redis().await;
    let (one, two) = (
        replica(&redis, per_customer(1, 100)).await,
        replica(&redis, per_customer(1, 100)).await,
    );
    let start = Instant::now();
    let tasks = (0..64).map(|i| {
        let limits = if i % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { admitted(&limits, &[(Customer, "c")], 10).await })
    });
    let mut sum = 0;
    for task in tasks.collect::<Vec<_>>() {
        sum += task.await.unwrap();
    }
    let drained = start.elapsed().as_secs() as usize + 1;
    assert!(one.is_shared() && two.is_shared());
    assert!((100..=100 + drained).contains(&sum), "{sum}");
}

#[tokio::test]
async fn over_time_no_more_is_admitted_than_the_rate_gives() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(100, 20)).await;
    let start = Instant::now();
    let mut sum = 0;
    while start.elapsed() < Duration::from_millis(1_500) {
        sum += admitted(&limits, &[(Customer, "c")], 1).await;
    }
    let most = 20.0 + 100.0 * start.elapsed().as_secs_f64();
    assert!(sum as f64 <= most, "{sum} of {most}");
    assert!(sum >= 150, "{sum}: the rate is also given");
}

#[tokio::test]
async fn who_waits_as_told_is_admitted() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(30, 7)).await;
    let of = [(Customer, "c")];
    limits.check(&of, 7).await.unwrap();
    for cost in [1, 3, 7, 2] {
        let refused = refusal(&limits, &of, cost).await;
        let most = Duration::from_secs(cost.into()) / 30;
        assert!(refused.retry_after <= most + Duration::from_micros(1));
        tokio::time::sleep(refused.retry_after).await;
        limits.check(&of, cost).await.unwrap();
    }
}

#[tokio::test]
async fn dear_calls_take_more() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 25)).await;
    let of = [(Customer, "c")];
    limits.check(&of, 10).await.unwrap();
    limits.check(&of, 10).await.unwrap();
    let refused = refusal(&limits, &of, 10).await;
    assert!(refused.retry_after > Duration::from_secs(3));
    assert!(refused.retry_after <= Duration::from_secs(5));
    assert!(admitted(&limits, &of, 5).await == 5, "five are left");
    limits.check(&of, 0).await.unwrap();
}

#[tokio::test]
async fn a_call_dearer_than_the_burst_needs_an_empty_bucket() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 5)).await;
    limits.check(&[(Customer, "c")], 50).await.unwrap();
    assert!(limits.check(&[(Customer, "c")], 1).await.is_err());
    limits.check(&[(Customer, "d")], 1).await.unwrap();
    let refused = refusal(&limits, &[(Customer, "d")], 50).await;
    assert!(refused.retry_after <= Duration::from_secs(1));
}

#[tokio::test]
async fn a_call_takes_from_all_its_subjects_or_from_none() {
    let redis = testkit::redis().await;
    let settings = Settings {
        address: Quota::new(1, 3),
        ..per_customer(1, 10)
    };
    let limits = replica(&redis, settings).await;
    let both = [(Customer, "c"), (Address, "203.0.113.7")];
    assert!((3..=4).contains(&admitted(&limits, &both, 20).await));
    assert_eq!(refusal(&limits, &both, 1).await.dimension, Address);
    let left = admitted(&limits, &[(Customer, "c")], 20).await;
    assert!((6..=8).contains(&left), "{left}");
    assert_eq!(refusal(&limits, &both, 9).await.dimension, Customer);
}

#[tokio::test]
async fn subjects_do_not_hinder_each_other() {
    let redis = testkit::redis().await;
    let settings = Settings {
        credential: Quota::new(1, 4),
        ..per_customer(1, 3)
    };
    let limits = replica(&redis, settings).await;
    assert_eq!(admitted(&limits, &[(Customer, "c")], 3).await, 3);
    assert_eq!(admitted(&limits, &[(Customer, "d")], 3).await, 3);
    assert_eq!(admitted(&limits, &[(Credential, "c")], 4).await, 4);
    assert!(limits.check(&[(Customer, "c")], 1).await.is_err());
}

#[tokio::test]
async fn an_idempotency_key_counts_calls_whatever_they_cost() {
    let redis = testkit::redis().await;
    let settings = Settings {
        idempotency_key: Quota::new(1, 3),
        ..unlimited()
    };
    let limits = replica(&redis, settings).await;
    for _ in 0..3 {
        limits.check(&[(IdempotencyKey, "p k")], 10).await.unwrap();
    }
    let refused = refusal(&limits, &[(IdempotencyKey, "p k")], 10).await;
    assert_eq!(refused.dimension, IdempotencyKey);
    assert_eq!(refused.to_string(), "too many calls of one idempotency key");
}

#[tokio::test]
async fn a_household_has_one_quota_however_many_addresses_it_has() {
    let redis = testkit::redis().await;
    let settings = Settings {
        address: Quota::new(1, 2),
        ..unlimited()
    };
    let limits = replica(&redis, settings).await;
    limits.check(&[(Address, "2001:db8::1")], 1).await.unwrap();
    limits
        .check(&[(Address, "2001:db8::ffff:2")], 1)
        .await
        .unwrap();
    assert!(limits.check(&[(Address, "2001:db8::3")], 1).await.is_err());
    limits
        .check(&[(Address, "2001:db8:0:1::3")], 2)
        .await
        .unwrap();
    limits.check(&[(Address, "203.0.113.7")], 2).await.unwrap();
    assert!(
        limits
            .check(&[(Address, "::ffff:203.0.113.7")], 1)
            .await
            .is_err()
    );
    limits.check(&[(Address, "203.0.113.8")], 2).await.unwrap();
}

#[tokio::test]
async fn a_subject_that_is_named_twice_counts_once() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 4)).await;
    let twice = [(Customer, "c"), (Customer, "c")];
    assert_eq!(admitted(&limits, &twice, 4).await, 4);
}

#[tokio::test]
async fn what_is_off_is_not_counted() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, unlimited()).await;
    let all = [
        (Customer, "c"),
        (Credential, "c"),
        (Address, "::1"),
        (IdempotencyKey, "k"),
    ];
    limits.check(&all, 1_000_000).await.unwrap();
    assert_eq!(keys(&redis).await, [""; 0]);
}

#[tokio::test]
async fn redis_learns_no_names_and_forgets_what_has_drained() {
    let redis = testkit::redis().await;
    let settings = Settings {
        address: Quota::new(100, 20),
        ..per_customer(100, 20)
    };
    let limits = replica(&redis, settings).await;
    let both = [(Customer, "ada@example.com"), (Address, "203.0.113.7")];
    limits.check(&both, 20).await.unwrap();
    let mut found = keys(&redis).await;
    found.sort();
    assert_eq!(found.len(), 2);
    for (key, dimension) in found.iter().zip(["address", "customer"]) {
        let (start, hash) = key.rsplit_once(':').unwrap();
        assert_eq!(start, format!("cartwright:limit:{dimension}"));
        assert!(hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(keys(&redis).await, [""; 0]);
    limits.check(&both, 20).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(10, 20)).await;
    let of = [(Customer, "c")];
    limits.check(&of, 20).await.unwrap();
    let key = keys(&redis).await.remove(0);
    let tomorrow = format!("20000000 {}", u64::pow(10, 6) * 4_000_000_000);
    let _: () = redis::cmd("SET")
        .arg(&key)
        .arg(&tomorrow)
        .query_async(&mut client(&redis).await)
        .await
        .unwrap();
    let refused = refusal(&limits, &of, 1).await;
    assert!(refused.retry_after <= Duration::from_millis(100));
    tokio::time::sleep(refused.retry_after).await;
    limits.check(&of, 1).await.unwrap();
}

#[tokio::test]
async fn a_value_that_means_nothing_is_an_empty_bucket() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 3)).await;
    limits.check(&[(Customer, "c")], 3).await.unwrap();
    let key = keys(&redis).await.remove(0);
    for value in ["", "-5 7", "1e400 1", "nan nan", "1"] {
        let _: () = redis::cmd("SET")
            .arg(&key)
            .arg(value)
            .query_async(&mut client(&redis).await)
            .await
            .unwrap();
        limits.check(&[(Customer, "c")], 3).await.unwrap();
        assert!(limits.check(&[(Customer, "c")], 1).await.is_err());
        assert!(limits.is_shared());
    }
}

#[tokio::test]
async fn new_settings_hold_from_the_next_call_on() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(1, 100)).await;
    let of = [(Customer, "c")];
    limits.check(&of, 90).await.unwrap();
    limits.reload(per_customer(1, 10));
    let refused = refusal(&limits, &of, 1).await;
    assert!(refused.retry_after <= Duration::from_secs(1), "{refused:?}");
    limits.reload(per_customer(1, 200));
    limits.check(&of, 100).await.unwrap();
    assert!(limits.check(&of, 100).await.is_err());
    limits.reload(unlimited());
    limits.check(&of, 1_000).await.unwrap();
}
