//! What became of every line of a replayed file. The names of the fields are
//! those of the JSON that people's programs read.

use serde::Serialize;

use super::{
    plan::Plan,
    returns::{Returns, match_returns},
};

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Account {
    pub lines: Lines,
    pub orders: Orders,
    pub money: Totals,
    /// Units of cancellations for which no order was found.
    pub units_unmatched: i64,
    pub skus: usize,
    pub merged_codes: usize,
    /// The whole replay, from the first call to the last.
    pub seconds: f64,
    /// Orders by the time that sending them took.
    pub orders_per_second: f64,
    pub audit_violations: i64,
    /// The orders that were refused, and the lines that were short.
    pub rejected: Vec<Rejected>,
    /// What did not go as the file wanted, but for refused orders.
    pub problems: Vec<String>,
}

/// Each line of the file is in exactly one of these, but for `read`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    pub read: usize,
    /// Became a line of an order that was sent, whatever became of the order.
    pub ordered: usize,
    /// Stock corrections, also where tight stock keeps them from being made.
    pub corrections: usize,
    /// Cancelled lines of which at least a part came back.
    pub returned: usize,
    pub unmatched: usize,
    pub ignored: usize,
    pub malformed: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub sent: usize,
    pub confirmed: usize,
    pub rejected: usize,
    /// Neither: an error, or an outcome that did not come.
    pub other: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub currency: &'static str,
    pub confirmed_minor: i64,
    pub refunded_minor: i64,
}

/// An order that the shop refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    pub invoice: String,
    pub reason: String,
    /// One text for each short line.
    pub short: Vec<String>,
}

impl Account {
    /// The part of the account that the file alone decides, given what came
    /// back.
    pub fn begin(plan: &Plan, returns: &Returns) -> Self {
        Self {
            lines: Lines {
                read: plan.lines_read,
                ordered: plan.lines_ordered(),
                corrections: plan.corrections.len(),
                returned: returns.lines_returned,
                unmatched: returns.lines_unmatched,
                ignored: plan.lines_ignored,
                malformed: plan.lines_malformed,
            },
            orders: Orders {
                sent: plan.sales.len(),
                ..Orders::default()
            },
            money: Totals {
                currency: super::parse::CURRENCY,
                ..Totals::default()
            },
            units_unmatched: returns.units_unmatched,
            skus: plan.items.len(),
            merged_codes: plan.merged_codes,
            ..Self::default()
        }
    }

    /// What the account would be if the shop confirmed every order.
    ///
    /// # Errors
    /// When a sum does not fit into 64 bits.
    pub fn expected(plan: &Plan) -> Result<Self, types::MoneyError> {
        let returns = match_returns(plan, |_| true);
        let mut account = Self::begin(plan, &returns);
        account.orders.confirmed = plan.sales.len();
        for line in plan.sales.iter().flat_map(|sale| &sale.lines) {
            let price = line.price.checked_mul(line.quantity)?.minor();
            let sum = account.money.confirmed_minor.checked_add(price);
            account.money.confirmed_minor = sum.ok_or(types::MoneyError::Overflow)?;
        }
        account.money.refunded_minor = returns
            .returns
            .iter()
            .flat_map(|back| value_minor(plan, back))
            .sum();
        Ok(account)
    }

    /// True when every order was confirmed or refused, everything else was
    /// carried out, and the books of the shop are in order.
    pub fn holds(&self) -> bool {
        self.orders.other == 0 && self.problems.is_empty() && self.audit_violations == 0
    }
}

fn value_minor(plan: &Plan, back: &super::returns::Return) -> Vec<i64> {
    let sale = plan.sales.iter().find(|sale| sale.invoice == back.sale);
    let lines = sale.map(|sale| sale.lines.as_slice()).unwrap_or_default();
    (1..)
        .zip(lines)
        .filter_map(|(number, line)| Some(back.units.get(&number)? * line.price.minor()))
        .collect()
}
