//! Replicas are replaced one after the other while clients call, as an upgrade
//! does it, and nobody notices: not a single call fails, although the lists of
//! clients and services name each one all the while that it is gone. Then the
//! same with another build on the schema of this one, both side by side.

mod books;
mod load;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;

use self::load::Load;
use self::report::{Phase, Report};
use crate::proxy::Proxy;
use crate::shop::{Config, ORDER, Replica, SERVICES, Shop};

const REPLICAS: usize = 2;
/// How long a replica is gone while others still name it.
const GONE: Duration = Duration::from_secs(2);
/// Between the return of one and the end of the next.
const BETWEEN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How often each replica is replaced.
    #[arg(long, default_value_t = 10)]
    pub rounds: usize,
    /// Calls a second, whatever becomes of them.
    #[arg(long, default_value_t = 30.0)]
    pub rate: f64,
    /// Programs as they are released, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/without")]
    pub programs: PathBuf,
    /// Those of an earlier commit, as scripts/previous-programs makes them.
    #[arg(long)]
    pub previous: Option<PathBuf>,
    /// Where the report goes.
    #[arg(long, default_value = ".run/reports/rolling.json")]
    pub report: PathBuf,
}

/// True if no call failed and the books are in order.
///
/// # Errors
/// When it could not be tried.
pub async fn run(args: Args) -> Result<bool> {
    let mut config = Config::new(&args.programs);
    config.replicas = REPLICAS;
    eprintln!("· starting the shop");
    let shop = Shop::start(&config).await.context("the shop")?;
    eprintln!("· its logs are in {}", shop.directory().display());
    let mut report = Report::new(&args);
    let rolling = Rolling::new(&shop, args.rate).await?;
    report.phases.push(rolling.rounds(args.rounds).await?);
    if let Some(previous) = &args.previous {
        report
            .phases
            .push(rolling.mixed(&args.programs, previous).await?);
    }
    eprintln!("· looking at the books");
    let orders = rolling.orders.lock().clone();
    report.books = books::look(&shop, &orders).await?;
    drop(rolling);
    report.judge();
    if !report.pass {
        let mut shop = shop;
        report.logs = Some(shop.keep_directory().to_owned());
    }
    report.write(&args.report)?;
    report.print();
    Ok(report.pass)
}

struct Rolling<'a> {
    shop: &'a Shop,
    rate: f64,
    client: ::load::Shop,
    /// Those that clients were told of.
    orders: Arc<parking_lot::Mutex<Vec<String>>>,
    /// One address for all replicas of a service, as a Service of Kubernetes
    /// is one: older programs know no lists.
    services: [(&'static str, Proxy); 2],
}

impl<'a> Rolling<'a> {
    async fn new(shop: &'a Shop, rate: f64) -> Result<Self> {
        let client = ::load::Shop::connect(shop.endpoints(), &shop.token())?;
        load::stock_up(&client).await?;
        let endpoints = shop.endpoints();
        let services = [
            (
                "CARTWRIGHT__INVENTORY__URL",
                one_address(&endpoints.inventory).await?,
            ),
            (
                "CARTWRIGHT__PAYMENT__URL",
                one_address(&endpoints.payments).await?,
            ),
        ];
        Ok(Self {
            shop,
            rate,
            client,
            orders: Arc::default(),
            services,
        })
    }

    /// Each replica in turn, `rounds` times, by itself.
    async fn rounds(&self, rounds: usize) -> Result<Phase> {
        let load = Load::begin(&self.client, self.rate, "rounds", &self.orders);
        let mut phase = Phase::new("the same build", rounds);
        for round in 1..=rounds {
            for replica in self.in_turn() {
                self.replace(replica, &load, &mut phase, &[]).await?;
            }
            eprintln!("· round {round} of {rounds}: {}", load.summary());
        }
        load.end(&mut phase).await;
        Ok(phase)
    }

    /// Each replica becomes one of the previous build, until all are, and then
    /// one of this build again: by then every pair of builds has met.
    async fn mixed(&self, programs: &Path, previous: &Path) -> Result<Phase> {
        let load = Load::begin(&self.client, self.rate, "mixed", &self.orders);
        let mut phase = Phase::new("the previous build beside this one", 1);
        let urls = self.services.each_ref();
        let urls = urls.map(|(name, proxy)| (*name, format!("http://{}", proxy.address())));
        let of_old = urls.each_ref().map(|(name, url)| (*name, url.as_str()));
        for replica in self.in_turn() {
            replica.take_programs_of(previous);
            let is_order = replica.service() == ORDER;
            let env: &[(&str, &str)] = if is_order { &of_old } else { &[] };
            self.replace(replica, &load, &mut phase, env).await?;
            eprintln!(
                "· {} is of the previous build: {}",
                replica.name(),
                load.summary()
            );
        }
        for replica in self.in_turn() {
            replica.take_programs_of(programs);
            self.replace(replica, &load, &mut phase, &[]).await?;
            eprintln!("· {} is of this build: {}", replica.name(), load.summary());
        }
        load.end(&mut phase).await;
        Ok(phase)
    }

    fn in_turn(&self) -> impl Iterator<Item = &'a Arc<Replica>> {
        let shop = self.shop;
        let replicas = move |index| SERVICES.map(|service| shop.replica(service, index));
        (0..REPLICAS).flat_map(replicas)
    }

    async fn replace(
        &self,
        replica: &Replica,
        load: &Load,
        phase: &mut Phase,
        env: &[(&str, &str)],
    ) -> Result<()> {
        let during = load.during();
        phase.restarts += 1;
        match replica.terminate().await {
            Some(0) => {}
            code => phase.troubles.push(format!(
                "{} ended with {code:?} at {}",
                replica.name(),
                Utc::now()
            )),
        }
        tokio::time::sleep(GONE).await;
        replica.start_with(env).await?;
        drop(during);
        tokio::time::sleep(BETWEEN).await;
        Ok(())
    }
}

async fn one_address(urls: &str) -> Result<Proxy> {
    let targets = urls.split(',').map(|url| url.trim_start_matches("http://"));
    let targets: Result<Vec<_>, _> = targets.map(str::parse).collect();
    Ok(Proxy::start(targets.context("addresses of replicas")?).await?)
}
