//! The verdict on a shop to which nothing was done, and on the same shop after
//! its books were spoilt, one thing at a time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chaos::history::{Asked, History, Told};
use chaos::run::site;
use chaos::shop::{Config, Shop};
use chaos::verdict::{self, Check, Circumstances, Restart, Site};
use chaos::workload::{self, Workload};
use chrono::Utc;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::damages::{DAMAGES, Damage};

const SEED: u64 = 6;
/// Answers that were ok: then everything has happened that can be judged.
const ENOUGH: u64 = 400;
const PATIENCE: Duration = Duration::from_secs(300);

struct Scene {
    shop: Shop,
    site: Site,
    history: History,
    circumstances: Circumstances,
}

/// A shop that has served customers for a while, and rests.
async fn scene() -> Scene {
    let program = e2e::program("order-service");
    let mut config = Config::new(program.parent().unwrap());
    config.replicas = 1;
    let shop = Shop::start(&config).await.unwrap();
    let site = site(&shop);
    let load = Workload::start(workload::Config {
        endpoints: site.endpoints.clone(),
        token: site.token.clone(),
        provider: site.provider.clone(),
        redis: site.redis.clone(),
        per_second: 25.0,
        seed: SEED,
        // A busy machine gets no more than it can do.
        in_flight_max: 12,
    });
    let load = load.await.unwrap();
    reached(&load, ENOUGH / 2).await;
    // None was restarted; the times of recovery are those of any moment.
    let restarts = vec![Restart {
        what: "nothing".to_owned(),
        at: Utc::now(),
    }];
    reached(&load, ENOUGH).await;
    Scene {
        site,
        history: load.stop().await,
        circumstances: Circumstances {
            restarts,
            ..Circumstances::default()
        },
        shop,
    }
}

async fn reached(load: &Workload, ok: u64) {
    let deadline = Instant::now() + PATIENCE;
    while load.counters().ok < ok {
        assert!(Instant::now() < deadline, "{:?}", load.counters());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Scene {
    async fn failed(&self) -> BTreeSet<&'static str> {
        self.failed_of(&self.site, &self.history).await
    }

    async fn failed_of(&self, site: &Site, history: &History) -> BTreeSet<&'static str> {
        let checks = verdict::look_at_books(site, history, &self.circumstances);
        let checks = checks.await.unwrap();
        let failed = checks.iter().filter(|check| !check.passes());
        failed.map(|check| check.name).collect()
    }

    /// Past constraints that are triggers, as a bug below them would.
    async fn execute(&self, database: &'static str, statements: &str) {
        let url = &self.site.databases[database];
        let mut conn = PgConnection::connect(url).await.unwrap();
        conn.execute("set session_replication_role = replica")
            .await
            .unwrap();
        let run = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        run.execute(&mut conn)
            .await
            .unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// What was not seen of a damage that should have been.
    async fn misses(&self, damage: &Damage) -> Option<String> {
        let before = self.rows(damage).await;
        self.execute(damage.database, damage.spoil).await;
        let failed = self.failed().await;
        self.execute(damage.database, damage.repair).await;
        assert_eq!(before, self.rows(damage).await, "{}", damage.name);
        let (name, mut seen_by) = (damage.name, damage.seen_by.iter());
        let all = seen_by.all(|expected| failed.contains(expected));
        (!all).then(|| format!("{name}: seen by {failed:?} only"))
    }

    /// How many rows the table has, which a repair must bring back.
    async fn rows(&self, damage: &Damage) -> i64 {
        let url = &self.site.databases[damage.database];
        let mut conn = PgConnection::connect(url).await.unwrap();
        let count = format!("select count(*) from {}", damage.table);
        let count = sqlx::query_scalar(AssertSqlSafe(count));
        count.fetch_one(&mut conn).await.unwrap()
    }

    /// The provider's journal with one more line.
    fn journal_with(&self, line: &str) -> Site {
        let mut journal = std::fs::read_to_string(&self.site.journal).unwrap();
        journal.push_str(line);
        journal.push('\n');
        let file: PathBuf = self.shop.directory().join("spoilt.jsonl");
        std::fs::write(&file, journal).unwrap();
        Site {
            journal: file,
            ..self.site.clone()
        }
    }
}

fn describe(checks: &[Check]) -> String {
    let failed = checks.iter().filter(|check| !check.passes());
    let lines = failed.map(|check| format!("{check:#?}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_shop_is_found_good_and_every_damage_is_seen() {
    let scene = scene().await;
    let first = verdict::judge(&scene.site, &scene.history, &scene.circumstances);
    let first = first.await.unwrap();
    for check in &first.checks {
        let (name, looked_at, remark) = (check.name, check.looked_at, &check.remark);
        eprintln!("{name:<28} {looked_at:>7} {remark:?}");
    }
    assert!(first.pass, "{}", describe(&first.checks));
    assert!(first.timelines.is_empty());

    let mut missed = Vec::new();
    for damage in DAMAGES {
        missed.extend(scene.misses(damage).await);
    }
    assert!(missed.is_empty(), "{missed:#?}");
    let failed = scene.failed().await;
    assert!(failed.is_empty(), "a repair did not repair: {failed:?}");

    spoilt_histories(&scene).await;
    spoilt_journals(&scene).await;
    sessions_and_audits(&scene).await;
    lost_events(&scene).await;
}

/// What clients were told is changed, the books stay.
async fn spoilt_histories(scene: &Scene) {
    let spoilt = |spoil: &dyn Fn(&mut History)| {
        let mut history = scene.history.clone();
        spoil(&mut history);
        history
    };
    let other_answer = spoilt(&|history| {
        let entries = &mut history.entries;
        let repeated = entries
            .iter()
            .position(|entry| entry.repeat && entry.told.is_ok());
        let Told::Ok { fingerprint, .. } = &mut entries[repeated.unwrap()].told else {
            unreachable!("it was told ok");
        };
        *fingerprint ^= 1;
    });
    let unheard_of = spoilt(&|history| {
        let create = |asked: &Asked| matches!(asked, Asked::Create(_));
        history.entries.retain(|entry| !create(&entry.asked));
    });
    let saw_else = spoilt(&|history| {
        let mut watched = history.watched.iter_mut().filter(|w| !w.events.is_empty());
        watched.next().unwrap().events[0].1 = "confirmed".to_owned();
    });
    let missed_a_movement = spoilt(&|history| {
        history.movements.remove(3);
    });
    let less_stock = spoilt(&|history| {
        *history.opening.get_mut("HOT-0").unwrap() -= 50;
    });
    let overtaken = spoilt(&|history| {
        let of = &history.published;
        let second = of.iter().position(|entry| entry.sequence == 2).unwrap();
        let aggregate = of[second].aggregate.clone();
        let first = of
            .iter()
            .position(|entry| entry.aggregate == aggregate)
            .unwrap();
        history.published.swap(first, second);
    });
    let mut missed = Vec::new();
    for (name, history, seen_by) in [
        ("another answer", other_answer, "same-key-same-answer"),
        ("orders of nobody", unheard_of, "one-order-for-a-key"),
        (
            "nothing created",
            spoilt(&|h| h.entries.clear()),
            "acknowledged-orders",
        ),
        ("another event", saw_else, "watched-events"),
        (
            "a movement that was not seen",
            missed_a_movement,
            "watched-events",
        ),
        ("less stock at first", less_stock, "stock-adds-up"),
        ("an event that overtook", overtaken, "events-in-sequence"),
    ] {
        let failed = scene.failed_of(&scene.site, &history).await;
        if !failed.contains(seen_by) {
            missed.push(format!("{name}: seen by {failed:?} only"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

async fn spoilt_journals(scene: &Scene) {
    let order = scene.history.entries.iter().find_map(|entry| {
        let seen = entry.order_seen()?;
        (seen.state == "CONFIRMED").then(|| seen.id.clone())
    });
    let order = order.unwrap();
    let charge = |order: &str| {
        format!(
            r#"{{"at":1,"intent":{{"id":"pi_again","amount_minor":500,"status":"succeeded","captured_minor":500,"metadata":{{"order_id":"{order}","payment_id":"p"}}}}}}"#
        )
    };
    for (name, order) in [
        ("charged twice", order.as_str()),
        (
            "charged for nothing",
            "01900000-0000-7000-8000-000000000000",
        ),
    ] {
        let site = scene.journal_with(&charge(order));
        let failed = scene.failed_of(&site, &scene.history).await;
        for expected in ["charged-once", "provider-by-payment", "provider-in-total"] {
            assert!(failed.contains(expected), "{name}: only {failed:?}");
        }
    }
}

async fn sessions_and_audits(scene: &Scene) {
    let url = &scene.site.databases["payments"];
    let mut idle = PgConnection::connect(url).await.unwrap();
    idle.execute("begin; select 1").await.unwrap();
    let spoil = "update stock_levels set on_hand = on_hand + 1 where sku = 'PLAIN-01'";
    scene.execute("inventory", spoil).await;
    let second = verdict::look(&scene.site, &scene.history, &scene.circumstances);
    let second = second.await.unwrap();
    let failed: BTreeSet<_> = second.failed().map(|check| check.name).collect();
    assert!(!second.pass);
    for expected in ["no-idle-transaction", "audit-of-stock", "stock-movements"] {
        assert!(failed.contains(expected), "only {failed:?}");
    }
    let repair = "update stock_levels set on_hand = on_hand - 1 where sku = 'PLAIN-01'";
    scene.execute("inventory", repair).await;
}

/// Redis is emptied: what was read before is known still, what was not is lost.
async fn lost_events(scene: &Scene) {
    scene.shop.redis.flush().await.unwrap();
    let mut history = scene.history.clone();
    let dropped = history.published.pop().unwrap();
    let failed = scene.failed_of(&scene.site, &history).await;
    assert!(
        failed.contains("events-published"),
        "{dropped:?}: {failed:?}"
    );
    // The streams are empty, so nothing can be said of what was done with them.
    assert!(failed.contains("effects-once"), "{failed:?}");
}
