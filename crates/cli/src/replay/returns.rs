//! Which orders the goods of a cancellation come back from.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use types::{CustomerId, Sku};

use super::plan::{CancelledLine, Plan};

/// Goods of one order that one cancellation brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// The invoice of the cancellation.
    pub cancellation: String,
    /// The invoice of the order.
    pub sale: String,
    /// Units by the order's line number, which counts from 1.
    pub units: BTreeMap<i32, i64>,
}

/// What all cancellations together bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returns {
    /// In the order of the cancellations.
    pub returns: Vec<Return>,
    /// Lines of which at least a part was matched.
    pub lines_returned: usize,
    pub lines_unmatched: usize,
    pub units_unmatched: i64,
}

/// Units of one order line that have not come back.
struct Left {
    /// The order's place in the plan.
    sale: usize,
    line_number: i32,
    units: i64,
}

/// Order lines by what a cancellation can name, latest order first.
type Shelf<'a> = HashMap<(&'a CustomerId, &'a Sku, i64), Vec<Left>>;

/// Matches each cancelled line with the confirmed orders of the same customer,
/// SKU and price, latest first by date and then by place in the file.
pub fn match_returns(plan: &Plan, is_confirmed: impl Fn(&str) -> bool) -> Returns {
    let mut shelf = shelf(plan, is_confirmed);
    let mut all = Returns::default();
    for cancellation in &plan.cancellations {
        let mut by_sale = Vec::<(usize, BTreeMap<i32, i64>)>::new();
        for line in &cancellation.lines {
            let wanted = line.goods.quantity.get();
            let missing = take(&mut shelf, line, &mut by_sale);
            all.units_unmatched += missing;
            if missing < wanted {
                all.lines_returned += 1;
            } else {
                all.lines_unmatched += 1;
            }
        }
        all.returns
            .extend(by_sale.into_iter().map(|(sale, units)| Return {
                cancellation: cancellation.invoice.clone(),
                sale: plan.sales[sale].invoice.clone(),
                units,
            }));
    }
    all
}

fn shelf(plan: &Plan, is_confirmed: impl Fn(&str) -> bool) -> Shelf<'_> {
    let mut latest_first: Vec<usize> = (0..plan.sales.len()).collect();
    latest_first.sort_by_key(|place| Reverse((plan.sales[*place].time, *place)));
    let mut shelf = Shelf::new();
    for sale in latest_first {
        let order = &plan.sales[sale];
        let Some(customer) = order
            .customer
            .as_ref()
            .filter(|_| is_confirmed(&order.invoice))
        else {
            continue;
        };
        for (line_number, line) in (1..).zip(&order.lines) {
            shelf
                .entry((customer, &line.sku, line.price.minor()))
                .or_default()
                .push(Left {
                    sale,
                    line_number,
                    units: line.quantity.get(),
                });
        }
    }
    shelf
}

/// Takes what can be matched off the shelf and returns what cannot.
fn take<'a>(
    shelf: &mut Shelf<'a>,
    line: &'a CancelledLine,
    by_sale: &mut Vec<(usize, BTreeMap<i32, i64>)>,
) -> i64 {
    let goods = &line.goods;
    let mut missing = goods.quantity.get();
    let Some(customer) = &line.customer else {
        return missing;
    };
    let lines = shelf.get_mut(&(customer, &goods.sku, goods.price.minor()));
    for left in lines.into_iter().flatten() {
        let units = left.units.min(missing);
        if units == 0 {
            continue;
        }
        left.units -= units;
        missing -= units;
        let place = by_sale
            .iter()
            .position(|(sale, _)| *sale == left.sale)
            .unwrap_or_else(|| {
                by_sale.push((left.sale, BTreeMap::new()));
                by_sale.len() - 1
            });
        *by_sale[place].1.entry(left.line_number).or_default() += units;
    }
    missing
}
