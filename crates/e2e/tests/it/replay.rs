//! Ten days of a real shop, against an account that another program computed
//! from the file alone.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use e2e::{Shop, checkout, program};
use serde_json::Value;

/// The whole file where it is at hand, else the excerpt that is checked in.
fn data() -> PathBuf {
    let named = std::env::var_os("ONLINE_RETAIL_CSV").map(PathBuf::from);
    let beside = checkout().join("../shared/data/online-retail/2010-12-01_to_10.csv");
    let excerpt = checkout().join("crates/e2e/data/online-retail-excerpt.csv");
    let whole = named.unwrap_or(beside);
    if whole.is_file() { whole } else { excerpt }
}

fn replay(shop: &Shop, file: &Path, stock: &str) -> Output {
    Command::new(program("cartwright"))
        .args(["--output", "json", "replay"])
        .arg(file)
        .args(["--stock", stock])
        .envs(&shop.client_env)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{said}", output.status))
}

/// The account without what depends on the clock.
fn timeless(mut account: Value) -> Value {
    let fields = account.as_object_mut().unwrap();
    fields.remove("seconds");
    fields.remove("orders_per_second");
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_a_replay_is_what_the_file_says_and_a_second_one_changes_nothing() {
    let shop = Shop::start().await;
    let file = data();
    let expected = Command::new("python3")
        .arg(checkout().join("crates/e2e/account.py"))
        .arg(&file)
        .output()
        .unwrap();
    assert!(expected.status.success(), "{expected:?}");
    let expected = json(&expected);

    let first = replay(&shop, &file, "ample");
    let account = json(&first);
    assert!(first.status.success(), "{account:#}");
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&account[key], value, "{key} of the account: {account:#}");
    }
    assert_eq!(account["audit_violations"], 0);
    shop.calls.settled(Duration::from_secs(60)).await;
    assert_eq!(shop.calls.violations().await, vec![]);

    let before = state(&shop).await;
    let second = replay(&shop, &file, "ample");
    assert_eq!(timeless(json(&second)), timeless(account));
    assert_eq!(
        state(&shop).await,
        before,
        "the second replay changed something"
    );
}

/// Rows that a repeated replay must not add to or change.
async fn state(shop: &Shop) -> Vec<(String, i64)> {
    let mut state = Vec::new();
    for (database, count) in [
        ("orders", "select count(*) from orders"),
        (
            "orders",
            "select coalesce(sum(sequence), 0)::bigint from orders",
        ),
        (
            "payments",
            "select coalesce(sum(version), 0)::bigint from payments",
        ),
        ("inventory", "select count(*) from stock_movements"),
        (
            "inventory",
            "select coalesce(sum(on_hand), 0)::bigint from stock_levels",
        ),
    ] {
        let pool = sqlx::PgPool::connect(&shop.databases[database])
            .await
            .unwrap();
        let n: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
        state.push((count.to_owned(), n));
        pool.close().await;
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn tight_stock_is_never_oversold_and_every_refusal_names_its_lines() {
    let shop = Shop::start().await;
    let output = replay(&shop, &data(), "tight");
    let account = json(&output);
    assert!(output.status.success(), "{account:#}");
    let orders = &account["orders"];
    let rejected = orders["rejected"].as_u64().unwrap();
    assert!(rejected > 0, "tight stock rejects some orders");
    assert_eq!(orders["other"], 0);
    assert_eq!(account["audit_violations"], 0);
    let named = account["rejected"].as_array().unwrap();
    assert_eq!(named.len() as u64, rejected);
    for order in named {
        assert!(!order["short"].as_array().unwrap().is_empty(), "{order}");
    }
    shop.calls.settled(Duration::from_secs(60)).await;
    assert_eq!(shop.calls.violations().await, vec![]);
    let pool = sqlx::PgPool::connect(&shop.databases["inventory"])
        .await
        .unwrap();
    let oversold: i64 = sqlx::query_scalar(
        "select count(*) from stock_levels where on_hand < 0 or held + committed > on_hand",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(oversold, 0);
}
