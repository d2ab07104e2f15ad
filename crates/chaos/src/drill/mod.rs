//! Backup and restore, as the runbook says it: a base backup under load, the
//! loss of the cluster, a restore to a point before the loss, and then what the
//! provider knows better is taken over. The provider itself forgets nothing.

mod acknowledged;
mod books;
mod cluster;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use load::{Asking, Outcome, Patience};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::cluster::{Backups, note_point};
use self::report::{Phases, Report, Settled};
use crate::history::History;
use crate::shop::{Config, INVENTORY, ORDER, PAYMENT, Shop};
use crate::verdict::Check;
use crate::workload::{self, Counters, ProviderAccess, Workload};

/// More calls at once than any replica has places would only wait.
const IN_FLIGHT_MAX: usize = 500;
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);
/// The provider's times are whole seconds, and its clock is ours.
const MARGIN_S: i64 = 3;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Decides what clients want; drawn and printed when absent.
    #[arg(long)]
    pub seed: Option<u64>,
    /// How long the load goes on before the base backup, between it and the
    /// restore point, and between that and the loss: so long each.
    #[arg(long, default_value_t = 20.0)]
    pub seconds: f64,
    /// Calls a second, whatever becomes of them.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Programs without failpoints, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/without")]
    pub programs: PathBuf,
    /// The command line client [default: beside this program].
    #[arg(long)]
    pub cartwright: Option<PathBuf>,
    /// Where the report goes.
    #[arg(long, default_value = ".run/reports/drill.json")]
    pub report: PathBuf,
}

/// True if nothing was lost and everything was settled.
///
/// # Errors
/// When the drill could not be carried out.
pub async fn run(args: Args) -> Result<bool> {
    let seed = args
        .seed
        .unwrap_or_else(|| rand::random_range(1..1_000_000));
    eprintln!("· seed {seed}; starting the shop");
    let backups = Backups::new().await?;
    let mut config = Config::new(&args.programs);
    config.postgres = backups.options();
    let shop = Shop::start(&config).await.context("the shop")?;
    eprintln!("· its logs are in {}", shop.directory().display());
    let mut drill = Drill {
        cartwright: cartwright(&args)?,
        args,
        seed,
        shop,
        backups,
        phases: Phases::default(),
    };
    let carried_out = drill.carry_out().await;
    let mut report = carried_out.inspect_err(|_| {
        let directory = drill.shop.keep_directory();
        eprintln!("· its logs stay in {}", directory.display());
    })?;
    if !report.pass {
        report.logs = Some(drill.shop.keep_directory().to_owned());
    }
    report.write(&drill.args.report)?;
    report.print();
    Ok(report.pass)
}

fn cartwright(args: &Args) -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("cartwright"));
    let found = args.cartwright.clone().or_else(beside);
    let found = found.context("where this program is")?;
    ensure!(found.is_file(), "{} is not built", found.display());
    Ok(found)
}

struct Drill {
    args: Args,
    seed: u64,
    shop: Shop,
    backups: Backups,
    cartwright: PathBuf,
    phases: Phases,
}

/// Before and at the loss.
struct Lost {
    /// Once the last client has given up waiting.
    history: JoinHandle<History>,
    load: Counters,
    point: DateTime<Utc>,
    at: DateTime<Utc>,
    archived: DateTime<Utc>,
}

impl Drill {
    async fn carry_out(&mut self) -> Result<Report> {
        let (lost, began) = self.lose().await?;
        let since = lost.point - TimeDelta::seconds(MARGIN_S);
        let first = self.restore(since, began).await?;
        let history = lost.history.await.context("the clients")?;
        self.rest().await?;
        let again = self.reconcile(since).await?;
        let checks = self.checks(&history, lost.point).await?;
        let told = history.entries.iter().filter(|entry| entry.told.is_ok());
        let (before, after): (Vec<_>, Vec<_>) = told.partition(|entry| entry.answered < lost.point);
        let second_run = again.provider.count() + again.orders.count();
        let is_tried = first.provider.count() > 0 && !before.is_empty() && !after.is_empty();
        Ok(Report {
            pass: is_tried && second_run == 0 && checks.iter().all(Check::passes),
            seed: self.seed,
            calls_per_second: self.args.rate,
            programs: self.args.programs.clone(),
            rpo_s: seconds_between(lost.archived, lost.at),
            rto_s: first.rto.as_secs_f64(),
            point_to_loss_s: seconds_between(lost.point, lost.at),
            phases: std::mem::take(&mut self.phases),
            load: lost.load,
            acknowledged_before_point: before.len(),
            acknowledged_after_point: after.len(),
            provider: first.provider,
            orders: first.orders,
            second_run,
            checks,
            logs: None,
        })
    }

    /// Load, a base backup under it, the point, more load, the loss.
    async fn lose(&mut self) -> Result<(Lost, Instant)> {
        let workload = Workload::start(self.load()).await.context("the load")?;
        let pause = Duration::from_secs_f64(self.args.seconds);
        tokio::time::sleep(pause).await;
        eprintln!("· taking the base backup");
        let took = self.backups.take(&self.shop.postgres).await?;
        self.phases.base_backup_s = took.as_secs_f64();
        tokio::time::sleep(pause).await;
        let point = note_point(&self.shop.postgres).await?;
        eprintln!("· the restore point is {point}");
        tokio::time::sleep(pause).await;
        let load = workload.counters();
        eprintln!("· losing the cluster, after {} calls", load.arrived);
        let (began, at) = (Instant::now(), Utc::now());
        Backups::lose(&self.shop.postgres).await?;
        for replica in self.shop.replicas() {
            replica.kill();
        }
        let history = tokio::spawn(workload.stop());
        let archived = self.backups.last_archived().await?;
        let lost = Lost {
            history,
            load,
            point,
            at,
            archived,
        };
        Ok((lost, began))
    }

    fn load(&self) -> workload::Config {
        workload::Config {
            endpoints: self.shop.endpoints().clone(),
            token: self.shop.token(),
            provider: ProviderAccess {
                url: self.shop.simulator.url().to_owned(),
                api_key: self.shop.simulator.api_key().to_owned(),
            },
            redis: self.shop.redis.url().to_owned(),
            per_second: self.args.rate,
            seed: self.seed,
            in_flight_max: IN_FLIGHT_MAX,
        }
    }

    /// The steps of the runbook, in their order.
    async fn restore(&mut self, since: DateTime<Utc>, began: Instant) -> Result<Restored> {
        let mut watch = Watch(Instant::now());
        eprintln!("· restoring");
        self.backups.restore(&self.shop.postgres).await?;
        // Its streams tell of what has not happened any more.
        self.shop.redis.flush().await?;
        self.phases.restore_s = watch.lap();
        self.start(&[INVENTORY, PAYMENT]).await?;
        self.phases.start_payments_and_stock_s = watch.lap();
        eprintln!("· reconciling payments with the provider");
        let provider = self.reconcile_provider(since).await?;
        self.phases.reconcile_provider_s = watch.lap();
        self.start(&[ORDER]).await?;
        self.phases.start_orders_s = watch.lap();
        self.order_something().await?;
        self.phases.first_order_s = watch.lap();
        let rto = began.elapsed();
        eprintln!("· reconciling orders with payments");
        let orders = self.reconcile_orders(since).await?;
        self.phases.reconcile_orders_s = watch.lap();
        self.rest().await?;
        self.phases.rest_s = watch.lap();
        Ok(Restored {
            rto,
            provider,
            orders,
        })
    }

    async fn start(&self, services: &[&str]) -> Result<()> {
        let of_these = || {
            let replicas = self.shop.replicas().iter();
            replicas.filter(|replica| services.contains(&replica.service()))
        };
        of_these().for_each(|replica| replica.spawn(&[]));
        for replica in of_these() {
            replica.ready(PATIENCE).await?;
        }
        Ok(())
    }

    async fn reconcile(&self, since: DateTime<Utc>) -> Result<Restored> {
        Ok(Restored {
            rto: Duration::ZERO,
            provider: self.reconcile_provider(since).await?,
            orders: self.reconcile_orders(since).await?,
        })
    }

    async fn reconcile_provider(&self, since: DateTime<Utc>) -> Result<Settled> {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let answer = self
            .client(&["payment", "reconcile", "--since", &since])
            .await?;
        Settled::of(&answer, "kind")
    }

    async fn reconcile_orders(&self, since: DateTime<Utc>) -> Result<Settled> {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let answer = self
            .client(&["order", "reconcile", "--since", &since])
            .await?;
        Settled::of(&answer, "difference")
    }

    /// A command of the client, with its JSON.
    async fn client(&self, words: &[&str]) -> Result<Value> {
        let endpoints = self.shop.endpoints();
        let mut command = Command::new(&self.cartwright);
        command
            .args(["--output", "json"])
            .args(words)
            .env("CARTWRIGHT_ORDER_URL", &endpoints.orders)
            .env("CARTWRIGHT_PAYMENT_URL", &endpoints.payments)
            .env("CARTWRIGHT_INVENTORY_URL", &endpoints.inventory)
            .env("CARTWRIGHT_TOKEN", self.shop.token());
        Ok(serde_json::from_str(&cluster::run(&mut command).await?)?)
    }

    /// The shop is open again when somebody got something.
    async fn order_something(&self) -> Result<()> {
        let shop = load::Shop::connect(self.shop.endpoints(), &self.shop.token())?;
        let request = api::order::v1::CreateOrderRequest {
            lines: vec![e2e::line("PLAIN-00", 1)],
            ..e2e::order_request(Vec::new())
        };
        let key = format!("drill-{}-first", self.seed);
        let asking = Asking {
            key: &key,
            patience: Patience {
                timeout: Duration::from_secs(10),
                total: PATIENCE,
                tries_max: 100,
                pause: POLL,
                pause_max: POLL,
            },
        };
        match shop.create_order(request, asking).await.outcome {
            Outcome::Ok(answer) => {
                let state = answer.order.unwrap_or_default().state();
                let confirmed = api::order::v1::OrderState::Confirmed;
                ensure!(state == confirmed, "the first order is {state:?}");
                Ok(())
            }
            other => anyhow::bail!("the first order: {other:?}"),
        }
    }

    /// Waits until no saga, payment or event is under way.
    async fn rest(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let open = [
            (
                "orders",
                "select count(*) from orders where next_run_at is not null and state <> 2",
            ),
            ("orders", "select count(*) from outbox"),
            (
                "payments",
                "select (select count(*) from payments where state in (1, 2))
                      + (select count(*) from captures where state = 1)
                      + (select count(*) from refunds where state = 1)",
            ),
            ("payments", "select count(*) from outbox"),
            ("inventory", "select count(*) from outbox"),
        ];
        for (database, statement) in open {
            let mut conn = PgConnection::connect(&self.shop.databases[database]).await?;
            loop {
                let left: i64 = sqlx::query_scalar(statement).fetch_one(&mut conn).await?;
                if left == 0 {
                    break;
                }
                ensure!(Instant::now() < deadline, "{left} left: {statement}");
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }

    async fn checks(&self, history: &History, point: DateTime<Utc>) -> Result<Vec<Check>> {
        eprintln!("· looking at the books");
        let databases = &self.shop.databases;
        let mut checks = acknowledged::checks(databases, history, point).await?;
        checks.extend(books::checks(databases, &self.shop.simulator).await?);
        checks.push(self.audit().await);
        Ok(checks)
    }

    async fn audit(&self) -> Check {
        let (name, says) = ("audit", "every invariant holds, also between the services");
        let mut answer = self.client(&["audit", "--deep"]).await;
        // A machine that is busy may keep a service from its database.
        for _ in 0..5 {
            if answer.is_err() {
                tokio::time::sleep(Duration::from_secs(2)).await;
                answer = self.client(&["audit", "--deep"]).await;
            }
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Check::failed(name, says, &error),
        };
        let mut check = Check::new(name, says);
        for finding in answer["findings"].as_array().into_iter().flatten() {
            check.looked();
            let broken = finding["violations"].as_i64() != Some(0);
            check.expect(!broken, None, || finding.to_string());
        }
        check
    }
}

struct Restored {
    rto: Duration,
    provider: Settled,
    orders: Settled,
}

/// Gives the time since it was last asked.
struct Watch(Instant);

impl Watch {
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap.as_secs_f64()
    }
}

fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}
