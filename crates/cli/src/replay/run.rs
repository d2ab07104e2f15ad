//! Does what a plan says. Every change has a key that follows from the file,
//! so that the same replay again, or after a break, changes nothing that is
//! done.

mod opening;
mod orders;
mod stock;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;

use super::{
    account::{Account, Rejected},
    plan::{Plan, Stock},
    returns::match_returns,
};
use crate::{audit, failure::Failure, shop::Shop};
use orders::{Outcome, Placed};

/// How long an outcome is waited for before it counts as none.
const PATIENCE: Duration = Duration::from_secs(60);
/// An outbox needs a moment to be empty after the last change.
const AUDIT_TRIES: u32 = 10;
const AUDIT_PAUSE: Duration = Duration::from_secs(1);

/// How to replay.
#[derive(Debug, Clone)]
pub struct Options {
    pub stock: Stock,
    /// Calls at once.
    pub concurrency: usize,
    /// A token of the payment provider.
    pub payment_method: String,
    /// Shows how far a phase is.
    pub bar: fn(&'static str, usize) -> ProgressBar,
}

impl Options {
    /// With a good card, sixteen calls at once, and without bars.
    pub fn new(stock: Stock) -> Self {
        Self {
            stock,
            concurrency: 16,
            payment_method: "pm_card_visa".to_owned(),
            bar: |_, _| ProgressBar::hidden(),
        }
    }
}

/// # Errors
/// When the opening stock cannot be set or an audit cannot be run. What goes
/// wrong with a single order does not stop the others: it is in the account.
pub async fn run(plan: &Plan, options: &Options, shop: &Shop) -> Result<Account, Failure> {
    shop.reach().await?;
    let start = Instant::now();
    opening::prepare(plan, options, shop).await?;

    let selling = Instant::now();
    let outcomes = orders::place_all(plan, options, shop).await;
    let sales_seconds = selling.elapsed().as_secs_f64();

    let confirmed = confirmed(plan, &outcomes);
    let mut problems = orders::fulfil_all(&confirmed, options, shop).await;
    if options.stock == Stock::Ample {
        problems.extend(stock::correct_all(&plan.corrections, options, shop).await);
    }
    let returns = match_returns(plan, |invoice| confirmed.contains_key(invoice));
    let (refunded_minor, refused) =
        stock::return_all(&returns.returns, &confirmed, options, shop).await;
    problems.extend(refused);

    let mut account = Account::begin(plan, &returns);
    account.count(plan, outcomes);
    account.problems.extend(problems);
    account.money.refunded_minor = refunded_minor;
    account.seconds = millis(start.elapsed().as_secs_f64());
    account.orders_per_second = millis(plan.sales.len() as f64 / sales_seconds.max(0.001));
    account.audit_violations = settled_audit(shop).await?;
    Ok(account)
}

fn millis(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Confirmed orders by invoice.
fn confirmed<'a>(plan: &'a Plan, outcomes: &'a [Outcome]) -> BTreeMap<&'a str, &'a Placed> {
    let sales = plan.sales.iter().zip(outcomes);
    let confirmed = sales.filter_map(|(sale, outcome)| match outcome {
        Outcome::Confirmed(placed) => Some((sale.invoice.as_str(), placed)),
        Outcome::Rejected { .. } | Outcome::Other(_) => None,
    });
    confirmed.collect()
}

impl Account {
    fn count(&mut self, plan: &Plan, outcomes: Vec<Outcome>) {
        for (sale, outcome) in plan.sales.iter().zip(outcomes) {
            match outcome {
                Outcome::Confirmed(placed) => {
                    self.orders.confirmed += 1;
                    self.money.confirmed_minor += placed.total_minor;
                }
                Outcome::Rejected { reason, short } => {
                    self.orders.rejected += 1;
                    self.rejected.push(Rejected {
                        invoice: sale.invoice.clone(),
                        reason,
                        short,
                    });
                }
                Outcome::Other(problem) => {
                    self.orders.other += 1;
                    self.problems.push(format!("{}: {problem}", sale.invoice));
                }
            }
        }
    }
}

async fn settled_audit(shop: &Shop) -> Result<i64, Failure> {
    let mut tries = 1;
    loop {
        let violations = audit::violations(&audit::run(shop, false).await?);
        if violations == 0 || tries == AUDIT_TRIES {
            return Ok(violations);
        }
        tries += 1;
        tokio::time::sleep(AUDIT_PAUSE).await;
    }
}
