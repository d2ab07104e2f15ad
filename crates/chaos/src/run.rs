//! A trial: a shop, its load, the faults, and what is left of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::faults::Faults;
use crate::history::History;
use crate::progress::Progress;
use crate::report::{Asked, Report};
use crate::schedule::{Counts, Planned, Terrain, asked, schedule};
use crate::shop::{Config, SERVICES, Shop};
use crate::verdict::{self, Site};
use crate::workload::{self, ProviderAccess, Workload};

/// Between two looks at how it stands.
const LOOK: Duration = Duration::from_millis(500);
/// The load goes on for so long after all is healed.
const QUIET: Duration = Duration::from_secs(3);
/// Longer than a lease and than any pause between two tries.
const REST_WITH_BUG: Duration = Duration::from_secs(45);
/// More calls at once than any replica has places would only wait.
const IN_FLIGHT_MAX: usize = 500;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Decides what is done and when; drawn and printed when absent.
    #[arg(long)]
    pub seed: Option<u64>,
    /// How long the faults go on.
    #[arg(long, default_value_t = 20.0)]
    pub minutes: f64,
    /// Calls a second, whatever becomes of them.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Programs with failpoints, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/with")]
    pub programs: PathBuf,
    /// Recovery may take any time: for programs that are not optimized.
    #[arg(long)]
    pub untimed: bool,
    /// Where the report goes.
    #[arg(long, default_value = ".run/reports/chaos.json")]
    pub report: PathBuf,
}

/// What is tried, and with what.
#[derive(Debug, Clone)]
pub struct Trial {
    pub seed: u64,
    pub length: Duration,
    pub rate: f64,
    pub shop: Config,
    pub counts: Counts,
    pub points: Vec<&'static str>,
}

impl Args {
    fn trial(&self) -> Trial {
        let length = Duration::from_secs_f64(self.minutes * 60.0);
        let mut shop = Config::new(&self.programs);
        shop.proxied = true;
        Trial {
            seed: self
                .seed
                .unwrap_or_else(|| rand::random_range(1..1_000_000)),
            length,
            rate: self.rate,
            shop,
            counts: Counts::of(length),
            points: failpoint::NAMES.to_vec(),
        }
    }

    /// The command that does the same again.
    fn replay(&self, seed: u64) -> String {
        format!(
            "cargo run -p chaos -- run --seed {seed} --minutes {} --rate {} --programs {}{}",
            self.minutes,
            self.rate,
            self.programs.display(),
            if self.untimed { " --untimed" } else { "" }
        )
    }
}

/// True if all went as it should.
///
/// # Errors
/// When the trial could not be carried out.
pub async fn run(args: Args) -> Result<bool> {
    let trial = args.trial();
    let replay = args.replay(trial.seed);
    eprintln!("· seed {}; again: {replay}", trial.seed);
    let (kills, aborts) = asked(trial.length);
    let plan = |shop: &Shop| {
        schedule(
            trial.seed,
            trial.length,
            &trial.counts,
            &trial.terrain(shop),
        )
    };
    let (mut report, remains) = trial.carry_out(plan, None).await?;
    report.replay = replay;
    report.asked(Asked { kills, aborts });
    if !args.untimed {
        report.in_time();
    }
    if !report.pass {
        report.logs = Some(remains.keep()?);
    }
    report.write(&args.report)?;
    report.print();
    Ok(report.pass)
}

/// Something that is done to the shop beside load and faults, until it is
/// aborted.
pub type Beside = fn(Arc<Shop>) -> JoinHandle<()>;

impl Trial {
    /// By the faults of a plan.
    ///
    /// # Errors
    /// When it could not be carried out.
    pub async fn carry_out(
        &self,
        plan: impl FnOnce(&Shop) -> Vec<Planned>,
        beside: Option<Beside>,
    ) -> Result<(Report, Remains)> {
        let started = Utc::now();
        eprintln!("· starting the shop");
        let shop = Arc::new(Shop::start(&self.shop).await.context("the shop")?);
        eprintln!("· its logs are in {}", shop.directory().display());
        let planned = plan(&shop);
        let workload = Workload::start(self.load(&shop))
            .await
            .context("the load")?;
        let faults = Faults::new(Arc::clone(&shop));
        let watcher = tokio::spawn({
            let faults = faults.clone();
            async move { faults.watch().await }
        });
        let beside = beside.map(|begin| begin(Arc::clone(&shop)));
        let counters = self.disturb(&faults, &workload, planned).await;
        if let Some(task) = beside {
            task.abort();
            task.await.ok();
        }
        faults.heal().await?;
        tokio::time::sleep(QUIET).await;
        eprintln!("· all is healed; waiting for the last answers");
        let history = workload.stop().await;
        eprintln!("· looking at the books");
        let notes = faults.journal().notes();
        let site = site(&shop);
        let verdict =
            verdict::judge_within(&site, &history, &notes.circumstances, self.rest_within());
        let verdict = verdict.await;
        watcher.abort();
        watcher.await.ok();
        let notes = faults.journal().notes();
        drop(faults);
        let verdict = verdict.context("the verdict")?;
        let report = Report::new(self, started, counters, notes, verdict);
        Ok((report, Remains { shop, history }))
    }

    /// A shop with a bug may never come to rest.
    fn rest_within(&self) -> Duration {
        match self.has_bug() {
            true => REST_WITH_BUG,
            false => verdict::REST_WITHIN,
        }
    }

    fn has_bug(&self) -> bool {
        let mut env = self.shop.env.values().flatten();
        env.any(|(name, _)| name == failpoint::PLANTED_BUG)
    }

    pub(crate) fn terrain(&self, shop: &Shop) -> Terrain {
        let links = shop.links.all().iter();
        Terrain {
            services: SERVICES.to_vec(),
            replicas: self.shop.replicas,
            links: links
                .map(|link| (link.from.clone(), link.to.clone()))
                .collect(),
            points: self.points.clone(),
        }
    }

    pub(crate) fn load(&self, shop: &Shop) -> workload::Config {
        workload::Config {
            endpoints: shop.endpoints().clone(),
            token: shop.token(),
            provider: provider(shop),
            redis: shop.redis.url().to_owned(),
            per_second: self.rate,
            seed: self.seed,
            in_flight_max: IN_FLIGHT_MAX,
        }
    }

    /// Until the last fault is over and the time is up.
    pub(crate) async fn disturb(
        &self,
        faults: &Faults,
        workload: &Workload,
        planned: Vec<Planned>,
    ) -> workload::Counters {
        let mut progress = Progress::new(self.length, planned.len());
        let began = Instant::now();
        let all = async {
            faults.run(planned).await;
            tokio::time::sleep_until(began + self.length).await;
        };
        tokio::pin!(all);
        loop {
            tokio::select! {
                () = &mut all => break,
                () = tokio::time::sleep(LOOK) => {
                    progress.show(&workload.counters(), &faults.journal().notes());
                }
            }
        }
        let counters = workload.counters();
        progress.show(&counters, &faults.journal().notes());
        counters
    }
}

fn provider(shop: &Shop) -> ProviderAccess {
    ProviderAccess {
        url: shop.simulator.url().to_owned(),
        api_key: shop.simulator.api_key().to_owned(),
    }
}

pub fn site(shop: &Shop) -> Site {
    Site {
        databases: shop.databases.clone(),
        endpoints: shop.endpoints().clone(),
        token: shop.token(),
        provider: provider(shop),
        journal: shop.directory().join("books/books.jsonl"),
        redis: shop.redis.url().to_owned(),
    }
}

/// What is left of a run: gone when it is dropped.
pub struct Remains {
    shop: Arc<Shop>,
    history: History,
}

impl Remains {
    /// The logs stay, and what clients were told, for who has to find out what
    /// went wrong.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(self) -> Result<PathBuf> {
        let Self { shop, history } = self;
        history.write(&shop.directory().join("history.jsonl"))?;
        let mut shop = Arc::into_inner(shop).context("somebody still has the shop")?;
        Ok(shop.keep_directory().to_owned())
    }
}
