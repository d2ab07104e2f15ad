//! Whether anybody comes by each failpoint: one that nobody reaches proves
//! nothing when it is armed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::faults::Faults;
use crate::run::Trial;
use crate::schedule::{Counts, schedule};
use crate::shop::{Config, SERVICES, Shop};
use crate::workload::Workload;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Decides what is done and when.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long it goes on.
    #[arg(long, default_value_t = 3.0)]
    pub minutes: f64,
    /// Calls a second.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Programs with failpoints, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/with")]
    pub programs: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = ".run/reports/failpoints.json")]
    pub report: PathBuf,
}

#[derive(Debug, Serialize)]
struct Report {
    pass: bool,
    seed: u64,
    minutes: f64,
    /// The replicas that came by each point.
    reached: BTreeMap<&'static str, BTreeSet<String>>,
    not_reached: Vec<&'static str>,
}

/// True if every point was reached.
///
/// # Errors
/// When the trial could not be carried out.
pub async fn points(args: Args) -> Result<bool> {
    let reached = args.trial().look().await?;
    let not_reached = failpoint::NAMES.iter().copied();
    let not_reached = not_reached.filter(|name| !reached.contains_key(name));
    let not_reached: Vec<&'static str> = not_reached.collect();
    let report = Report {
        pass: not_reached.is_empty(),
        seed: args.seed,
        minutes: args.minutes,
        reached,
        not_reached,
    };
    let text = serde_json::to_string_pretty(&report)?;
    if let Some(directory) = args.report.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&args.report, format!("{text}\n"))
        .with_context(|| args.report.display().to_string())?;
    eprintln!(
        "· {} of {} points were reached; not: {:?}",
        report.reached.len(),
        failpoint::NAMES.len(),
        report.not_reached
    );
    Ok(report.pass)
}

impl Args {
    /// Every process says of each point when it first comes by, and goes on.
    fn trial(&self) -> Trial {
        let length = Duration::from_secs_f64(self.minutes * 60.0);
        let mut shop = Config::new(&self.programs);
        shop.proxied = true;
        let points = failpoint::NAMES.iter();
        let points: Vec<String> = points.map(|name| format!("{name}=1*print")).collect();
        for service in SERVICES {
            let armed = (failpoint::FAILPOINTS.to_owned(), points.join(";"));
            shop.env.insert(service, vec![armed]);
        }
        Trial {
            seed: self.seed,
            length,
            rate: self.rate,
            shop,
            counts: Counts {
                aborts: 0,
                ..Counts::of(length)
            },
            points: Vec::new(),
        }
    }
}

impl Trial {
    /// Which replicas came by which points.
    async fn look(&self) -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
        let shop = Arc::new(Shop::start(&self.shop).await.context("the shop")?);
        let planned = schedule(self.seed, self.length, &self.counts, &self.terrain(&shop));
        let workload = Workload::start(self.load(&shop))
            .await
            .context("the load")?;
        let faults = Faults::new(Arc::clone(&shop));
        let watcher = tokio::spawn({
            let faults = faults.clone();
            async move { faults.watch().await }
        });
        self.disturb(&faults, &workload, planned).await;
        faults.heal().await?;
        workload.stop().await;
        watcher.abort();
        let mut reached: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for replica in shop.replicas() {
            let log = replica.whole_log();
            let said = |name: &&&str| log.contains(&format!("failpoint {name} executed."));
            for name in failpoint::NAMES.iter().filter(said) {
                reached.entry(*name).or_default().insert(replica.name());
            }
        }
        Ok(reached)
    }
}
