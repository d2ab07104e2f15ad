//! More than the shop can do: finds the rate at which it does its best, offers
//! many times as much at a constant rate, and looks at what becomes of the work
//! that it takes, of the calls that it turns away, and of itself.

mod client;
mod knee;
mod memory;
mod report;
mod weight;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use payment_simulator::faults::FaultSet;

use self::client::{Client, Window};
use self::memory::Memory;
use self::report::{Report, Stage, Variant};
use self::weight::Weight;
use crate::shop::{Config, Shop};

/// Back to normal is so much of what it can do.
const CALM: f64 = 0.5;
const WARM_UP: Duration = Duration::from_secs(8);
/// A shop has been open for longer than a minute: as long as its tables have no
/// statistics Postgres reads all of them.
const STATISTICS: [&str; 2] = ["-c", "autovacuum_naptime=2"];
const RECOVERY_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// For so long each multiple of the knee is offered.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// How many times the knee.
    #[arg(long, value_delimiter = ',', default_value = "2,5,10")]
    pub multiples: Vec<f64>,
    /// The first rate that is tried, in orders a second.
    #[arg(long, default_value_t = 20.0)]
    pub from: f64,
    /// What the provider takes for each call in the variant that is slow.
    #[arg(long, default_value_t = 300)]
    pub provider_ms: u64,
    /// Only as it is, without the slow provider.
    #[arg(long)]
    pub plain: bool,
    /// Of each service.
    #[arg(long, default_value_t = 1)]
    pub replicas: usize,
    /// Programs as they are released, as scripts/chaos-programs makes them.
    #[arg(long, default_value = ".run/chaos/release/without")]
    pub programs: PathBuf,
    #[arg(long, default_value = ".run/reports/overload.json")]
    pub report: PathBuf,
}

pub async fn run(args: Args) -> Result<bool> {
    let mut variants = vec![("plain", 0)];
    if !args.plain {
        variants.push(("slow provider", args.provider_ms));
    }
    let mut report = Report::new(&args);
    for (name, delay_ms) in variants {
        report.variants.push(variant(&args, name, delay_ms).await?);
    }
    report.judge();
    report.write(&args.report)?;
    report.print();
    Ok(report.pass)
}

async fn variant(args: &Args, name: &'static str, delay_ms: u64) -> Result<Variant> {
    eprintln!("· {name}: starting a shop");
    let shop = Shop::start(&Config {
        replicas: args.replicas,
        env: unlimited(),
        postgres: STATISTICS.map(str::to_owned).to_vec(),
        ..Config::new(&args.programs)
    })
    .await?;
    let _weight = Weight::keep(&shop);
    shop.simulator
        .set_faults(&FaultSet {
            delay_ms,
            ..FaultSet::default()
        })
        .await?;
    let client = Client::connect(&shop).await?;
    client.offer(args.from, WARM_UP).await;
    let memory = Memory::watch(&shop);
    let step = Duration::from_secs((args.seconds / 6).clamp(4, 12));
    let knee = knee::find(&client, args.from, step).await;
    let mut variant = Variant::new(name, delay_ms, knee);
    for multiple in &args.multiples {
        let rate = variant.knee.rate * multiple;
        let window = client.offer(rate, Duration::from_secs(args.seconds)).await;
        eprintln!("· {name}: {multiple} times the knee: {}", window.line());
        let recovery_s = recovery(&client, &variant.knee).await;
        variant.stages.push(Stage {
            multiple: *multiple,
            window,
            recovery_s,
        });
    }
    variant.memory = memory.end().await;
    let replicas = shop.replicas().iter();
    variant.ended = replicas
        .filter(|replica| !replica.runs() || replica.has_ended().is_some())
        .map(|replica| replica.name())
        .collect();
    variant.restarts = shop.restarts().len();
    Ok(variant)
}

/// How long it takes until a second is as good as any under half of what the
/// shop can do. None: too long.
async fn recovery(client: &Client, knee: &Window) -> Option<f64> {
    let began = Instant::now();
    let mut good_since = None;
    while began.elapsed() < RECOVERY_PATIENCE {
        let at = began.elapsed();
        let window = client.offer(knee.rate * CALM, Duration::from_secs(1)).await;
        let normal = window.shed == 0
            && window.failed == 0
            && window.accepted.p99_ms <= 2.0 * knee.accepted.p99_ms;
        match (normal, good_since) {
            (false, _) => good_since = None,
            (true, None) => good_since = Some(at),
            (true, Some(since)) => return Some(since.as_secs_f64()),
        }
    }
    None
}

/// What callers may ask for is not what is tried here.
fn unlimited() -> BTreeMap<&'static str, Vec<(String, String)>> {
    let none = ["ADDRESS", "CREDENTIAL", "CUSTOMER", "IDEMPOTENCY_KEY"].map(|limit| {
        (
            format!("CARTWRIGHT__LIMITS__{limit}__PER_SECOND"),
            "1000000".to_owned(),
        )
    });
    crate::shop::SERVICES
        .map(|service| (service, none.to_vec()))
        .into()
}
