//! `cartwright replay`

use std::path::PathBuf;

use clap::Args;

use super::{progress, stock::read_file};
use crate::{
    failure::Failure,
    output::{Format, Output, facts},
    replay::{self, Account, Options, Plan, Stock, account::Rejected, parse::Malformed},
    shop::Shop,
};

const SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Every change has a key that follows from the file: the same replay again, within
the 72 hours for which keys are kept, changes nothing. An order's key is its
invoice number alone, so on a shop that has seen the file already, a replay with
another --stock repeats the answers of the first; give it an empty shop.

Each line of the file is counted once. Corrections are counted as such also
where tight stock keeps them from being made; orders_per_second is over the time
in which orders were sent, seconds over the whole replay.

The exit code is 1 when an order was neither confirmed nor refused, when
something else could not be carried out, or when the audit found a violation.")]
pub struct Replay {
    /// Sales in the format of the Online Retail data set: ISO-8859-1 CSV with
    /// InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country.
    file: PathBuf,
    /// The stock before the first order.
    #[arg(long, value_enum, default_value = "ample")]
    stock: Stock,
    /// How many calls run at once.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// How every order is paid: a token of the payment provider.
    #[arg(long, default_value = "pm_card_visa", value_name = "TOKEN")]
    payment_method: String,
}

pub async fn run(args: &Replay, shop: &Shop, output: Output) -> Result<(), Failure> {
    let content = read_file(&args.file)?;
    let bad = |error: &dyn std::fmt::Display| {
        Failure::BadInput(format!("{}: {error}", args.file.display()))
    };
    let sheet = replay::parse(&content).map_err(|error| bad(&error))?;
    tell_malformed(&sheet.malformed);
    let plan = Plan::of(&sheet).map_err(|error| bad(&error))?;
    let options = Options {
        concurrency: args.concurrency,
        payment_method: args.payment_method.clone(),
        bar: progress::bar,
        ..Options::new(args.stock)
    };
    let account = replay::run(&plan, &options, shop).await?;
    tell(&account);
    match output.format {
        Format::Table => output.text(&view(&account))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&account);
            output.text(&json.map_err(|error| Failure::Internal(error.to_string()))?)?;
        }
    }
    match account.holds() {
        true => Ok(()),
        false => Err(Failure::Mismatch(format!(
            "{} orders without an outcome, {} problems, {} audit violations",
            account.orders.other,
            account.problems.len(),
            account.audit_violations
        ))),
    }
}

fn tell_malformed(malformed: &[Malformed]) {
    for Malformed { number, problem } in malformed {
        eprintln!("line {number} is malformed: {problem}");
    }
}

fn tell(account: &Account) {
    for problem in &account.problems {
        eprintln!("{problem}");
    }
    for rejected in account.rejected.iter().take(SHOWN_MAX) {
        let Rejected {
            invoice,
            reason,
            short,
        } = rejected;
        eprintln!("{invoice} rejected: {reason}: {}", short.join("; "));
    }
    let more = account.rejected.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        eprintln!("and {more} more orders rejected; --output json names them all");
    }
}

fn view(account: &Account) -> String {
    let (lines, orders, money) = (&account.lines, &account.orders, &account.money);
    let amount = |minor_units| {
        let currency_code = money.currency.to_owned();
        crate::show::money(Some(&api::common::v1::Money {
            minor_units,
            currency_code,
        }))
    };
    facts([
        ("lines read", lines.read.to_string()),
        ("  ordered", lines.ordered.to_string()),
        ("  corrections", lines.corrections.to_string()),
        ("  returned", lines.returned.to_string()),
        (
            "  unmatched",
            format!("{} ({} units)", lines.unmatched, account.units_unmatched),
        ),
        ("  ignored", lines.ignored.to_string()),
        ("  malformed", lines.malformed.to_string()),
        (
            "SKUs",
            format!("{} ({} codes merged)", account.skus, account.merged_codes),
        ),
        ("orders sent", orders.sent.to_string()),
        (
            "  confirmed",
            format!("{}  {}", orders.confirmed, amount(money.confirmed_minor)),
        ),
        ("  rejected", orders.rejected.to_string()),
        ("  other", orders.other.to_string()),
        ("refunded", amount(money.refunded_minor)),
        ("seconds", format!("{:.1}", account.seconds)),
        (
            "orders per second",
            format!("{:.0}", account.orders_per_second),
        ),
        ("audit violations", account.audit_violations.to_string()),
    ])
}
