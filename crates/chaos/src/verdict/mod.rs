//! Whether the shop has kept its promises: after the faults have stopped and
//! all is quiet, from the books of all services, of the provider, and from what
//! clients were told. None of it uses code of the services, but for their own
//! audits, which are checks among others.

mod acknowledged;
mod audits;
mod books_orders;
mod books_payments;
mod books_provider;
mod books_stock;
mod check;
mod events;
mod evidence;
mod keys;
mod money;
mod orders;
mod recovery;
mod rest;
mod site;
mod stock;
mod timeline;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

pub use self::check::{Check, Example};
pub use self::evidence::{Circumstances, Fault, Restart};
pub use self::recovery::{Recovered, Recovery, Times};
pub use self::site::Site;
pub use self::timeline::Timeline;

use self::evidence::Evidence;
use crate::history::History;

/// How long the shop may take to come to rest. Longer than a lease and than any
/// pause between two tries.
pub const REST_WITHIN: Duration = Duration::from_secs(120);

/// What nobody is told of comes right a moment after the last saga has ended:
/// events are consumed, and the provider gives up what it held. All else must
/// hold at once.
const LATE: [&str; 5] = [
    "effects-once",
    "outbox-empty",
    "provider-by-payment",
    "charged-once",
    "provider-in-total",
];
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// An order's timeline is long; some say enough.
const TIMELINES_MAX: usize = 10;

#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub pass: bool,
    pub checks: Vec<Check>,
    pub recovery: Recovery,
    /// How long it took until no work was open; none: it took too long.
    pub rest_s: Option<f64>,
    /// Of orders that break something.
    pub timelines: Vec<Timeline>,
}

/// Waits for rest, then looks at everything.
///
/// # Errors
/// When the books cannot be read at all.
pub async fn judge(
    site: &Site,
    history: &History,
    circumstances: &Circumstances,
) -> Result<Verdict> {
    judge_within(site, history, circumstances, REST_WITHIN).await
}

/// The same with less patience.
///
/// # Errors
/// When the books cannot be read at all.
pub async fn judge_within(
    site: &Site,
    history: &History,
    circumstances: &Circumstances,
    patience: Duration,
) -> Result<Verdict> {
    let began = Instant::now();
    let rest = rest::settle(site, patience).await;
    loop {
        let mut verdict = look(site, history, circumstances).await?;
        verdict.rest_s = rest.map(|rest| rest.as_secs_f64());
        let may_come_right = verdict.failed().all(|check| LATE.contains(&check.name));
        if verdict.pass || !may_come_right || began.elapsed() >= patience {
            return Ok(verdict);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Looks at everything as it stands.
///
/// # Errors
/// When the books cannot be read at all.
pub async fn look(
    site: &Site,
    history: &History,
    circumstances: &Circumstances,
) -> Result<Verdict> {
    let evidence = Evidence::read(site, history, circumstances).await?;
    let mut checks = of_books(site, &evidence).await;
    checks.extend(audits::checks(site).await);
    checks.push(rest::sessions(site).await);
    let recovery = recovery::measure(&evidence.orders, circumstances);
    Ok(Verdict {
        pass: checks.iter().all(Check::passes) && recovery.never_ended == 0,
        timelines: timelines(&evidence, &checks),
        checks,
        recovery,
        rest_s: None,
    })
}

/// Looks at the books alone: neither at the services' audits nor at who is
/// connected.
///
/// # Errors
/// When the books cannot be read at all.
pub async fn look_at_books(
    site: &Site,
    history: &History,
    circumstances: &Circumstances,
) -> Result<Vec<Check>> {
    let evidence = Evidence::read(site, history, circumstances).await?;
    Ok(of_books(site, &evidence).await)
}

async fn of_books(site: &Site, evidence: &Evidence<'_>) -> Vec<Check> {
    let mut checks = acknowledged::checks(evidence);
    checks.extend(keys::checks(evidence));
    checks.extend(orders::checks(evidence));
    checks.extend(stock::checks(evidence));
    checks.extend(money::checks(evidence));
    checks.extend(events::checks(site, evidence).await);
    checks.push(rest::sagas(evidence));
    checks
}

fn timelines(evidence: &Evidence<'_>, checks: &[Check]) -> Vec<Timeline> {
    let examples = checks.iter().flat_map(|check| &check.examples);
    let orders: BTreeSet<&str> = examples.filter_map(|one| one.order.as_deref()).collect();
    let known = orders.into_iter().take(TIMELINES_MAX);
    known.map(|order| timeline::of(evidence, order)).collect()
}

impl Verdict {
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passes())
    }

    pub fn violations(&self) -> u64 {
        self.checks.iter().map(|check| check.violations).sum()
    }
}
