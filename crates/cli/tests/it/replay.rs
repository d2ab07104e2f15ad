//! A replay against a shop that loses answers, breaks and runs short.

use std::path::Path;

use cli::replay::{self, Account, Options, Plan, Stock};

use crate::fake_shop::{FakeShop, Faults};

fn excerpt() -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/data/online-retail-excerpt.csv");
    Plan::of(&replay::parse(&std::fs::read(file).unwrap()).unwrap()).unwrap()
}

fn timeless(account: Account) -> Account {
    Account {
        seconds: 0.0,
        orders_per_second: 0.0,
        ..account
    }
}

#[tokio::test]
async fn every_change_is_made_once_although_answers_are_lost() {
    let plan = excerpt();
    let faults = Faults {
        loses_answers: true,
        ..Faults::default()
    };
    let (_, shop) = FakeShop::open(faults).await;
    let options = Options::new(Stock::Ample);
    let account = replay::run(&plan, &options, &shop).await.unwrap();
    assert!(account.holds(), "{account:?}");
    assert_eq!(timeless(account), Account::expected(&plan).unwrap());
}

#[tokio::test]
async fn the_same_replay_again_changes_nothing() {
    let plan = excerpt();
    let (fake, shop) = FakeShop::open(Faults::default()).await;
    let options = Options::new(Stock::Ample);
    let first = replay::run(&plan, &options, &shop).await.unwrap();
    let (changes, stock) = (fake.changes(), fake.stock());
    let second = replay::run(&plan, &options, &shop).await.unwrap();
    assert_eq!(timeless(first), timeless(second));
    assert_eq!((fake.changes(), fake.stock()), (changes, stock));
}

#[tokio::test]
async fn what_is_left_in_stock_is_what_came_in_less_what_went_out() {
    let plan = excerpt();
    let (fake, shop) = FakeShop::open(Faults::default()).await;
    replay::run(&plan, &Options::new(Stock::Ample), &shop)
        .await
        .unwrap();
    let mut left: i64 = plan.opening_stock(Stock::Ample).values().sum();
    let tracked = |sku: &types::Sku| sku.as_str().starts_with(|c: char| c.is_ascii_digit());
    let sold = plan.sales.iter().flat_map(|sale| &sale.lines);
    left -= sold
        .filter(|line| tracked(&line.sku))
        .map(|line| line.quantity.get())
        .sum::<i64>();
    left += plan
        .corrections
        .iter()
        .map(|correction| correction.delta)
        .sum::<i64>();
    let back = replay::returns::match_returns(&plan, |_| true);
    for part in &back.returns {
        let sale = plan
            .sales
            .iter()
            .find(|sale| sale.invoice == part.sale)
            .unwrap();
        for (number, units) in &part.units {
            let line = &sale.lines[usize::try_from(number - 1).unwrap()];
            left += if tracked(&line.sku) { *units } else { 0 };
        }
    }
    assert_eq!(fake.stock().values().sum::<i64>(), left);
}

#[tokio::test]
async fn tight_stock_is_not_oversold_and_every_refusal_names_its_short_lines() {
    let plan = excerpt();
    let (fake, shop) = FakeShop::open(Faults::default()).await;
    let account = replay::run(&plan, &Options::new(Stock::Tight), &shop)
        .await
        .unwrap();
    assert!(account.holds(), "a refusal is no failure");
    assert!(account.orders.rejected > 0);
    assert_eq!(
        account.orders.sent,
        account.orders.confirmed + account.orders.rejected
    );
    assert_eq!(account.rejected.len(), account.orders.rejected);
    for rejected in &account.rejected {
        assert_eq!(rejected.reason, "OUT_OF_STOCK");
        assert!(rejected.short[0].contains("requested"), "{rejected:?}");
    }
    assert!(fake.stock().values().all(|units| *units >= 0));
}

#[tokio::test]
async fn an_order_that_breaks_stops_no_other_and_is_told() {
    let plan = excerpt();
    let broken = plan.sales[0].invoice.clone().leak();
    let faults = Faults {
        breaks_on: Some(broken),
        ..Faults::default()
    };
    let (_, shop) = FakeShop::open(faults).await;
    let account = replay::run(&plan, &Options::new(Stock::Ample), &shop)
        .await
        .unwrap();
    assert!(!account.holds());
    assert_eq!(account.orders.other, 1);
    assert_eq!(account.orders.confirmed, plan.sales.len() - 1);
    assert_eq!(account.problems.len(), 1);
    assert!(account.problems[0].starts_with(&format!("{broken}: failed by order-service")));
}

#[tokio::test]
async fn an_order_that_takes_its_time_is_waited_for() {
    let plan = excerpt();
    let slow = plan.sales[0].invoice.clone().leak();
    let faults = Faults {
        dawdles_on: Some(slow),
        ..Faults::default()
    };
    let (_, shop) = FakeShop::open(faults).await;
    let account = replay::run(&plan, &Options::new(Stock::Ample), &shop)
        .await
        .unwrap();
    assert!(account.holds(), "{account:?}");
}
