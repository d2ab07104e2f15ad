//! What a sales file means for a shop: orders, stock corrections,
//! cancellations, and the stock to begin with. Pure, so that the outcome can
//! be told without a shop.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDateTime;
use types::{CustomerId, Money, Quantity, Sku};

use super::parse::{Kind, Line, Sheet};

/// How much stock there is before the first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stock {
    /// What all orders and negative corrections need together.
    Ample,
    /// 60 % of what the orders need; corrections are not replayed.
    Tight,
}

impl Stock {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ample => "ample",
            Self::Tight => "tight",
        }
    }
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    pub invoice: String,
    pub customer: Option<CustomerId>,
    pub time: NaiveDateTime,
    pub lines: Vec<SaleLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleLine {
    pub sku: Sku,
    pub quantity: Quantity,
    pub price: Money,
}

/// A change of stock that is no sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    pub invoice: String,
    /// The how-manyth correction of its invoice, from 1.
    pub nth: usize,
    pub sku: Sku,
    pub delta: i64,
}

/// Goods that come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub invoice: String,
    pub lines: Vec<CancelledLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelledLine {
    pub customer: Option<CustomerId>,
    pub goods: SaleLine,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub sku: Sku,
    pub title: String,
    pub stock_tracked: bool,
}

/// All that a file asks of the shop.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order of their first line.
    pub sales: Vec<Sale>,
    pub corrections: Vec<Correction>,
    pub cancellations: Vec<Cancellation>,
    /// In the order of their SKUs.
    pub items: Vec<Item>,
    /// How many codes became a SKU that another code had become before.
    pub merged_codes: usize,
    pub lines_read: usize,
    pub lines_ignored: usize,
    pub lines_malformed: usize,
}

impl Plan {
    pub fn of(sheet: &Sheet) -> Result<Self, types::QuantityError> {
        let mut plan = Self {
            lines_read: sheet.lines.len() + sheet.malformed.len(),
            lines_malformed: sheet.malformed.len(),
            ..Self::default()
        };
        plan.list_items(&sheet.lines);
        let mut places = Places::default();
        for line in &sheet.lines {
            match line.kind {
                Kind::Sale => plan.add_sale_line(line, &mut places)?,
                Kind::Cancellation => plan.add_cancellation_line(line, &mut places)?,
            }
        }
        Ok(plan)
    }

    fn list_items(&mut self, lines: &[Line]) {
        let mut titles = BTreeMap::<&Sku, &str>::new();
        let mut codes = BTreeSet::new();
        for line in lines {
            codes.insert(&line.code);
            let title = titles.entry(&line.sku).or_default();
            if title.is_empty() {
                *title = &line.title;
            }
        }
        self.merged_codes = codes.len() - titles.len();
        self.items = titles
            .into_iter()
            .map(|(sku, title)| Item {
                sku: sku.clone(),
                title: item_title(sku, title),
                stock_tracked: is_tracked(sku),
            })
            .collect();
    }

    fn add_sale_line(
        &mut self,
        line: &Line,
        places: &mut Places,
    ) -> Result<(), types::QuantityError> {
        if line.quantity > 0 && !line.price.is_zero() {
            let sale_line = sale_line(line)?;
            let place = *places.sales.entry(line.invoice.clone()).or_insert_with(|| {
                self.sales.push(Sale {
                    invoice: line.invoice.clone(),
                    customer: line.customer.clone(),
                    time: line.time,
                    lines: Vec::new(),
                });
                self.sales.len() - 1
            });
            self.sales[place].lines.push(sale_line);
        } else if is_tracked(&line.sku) {
            let nth = places.corrections.entry(line.invoice.clone()).or_default();
            *nth += 1;
            self.corrections.push(Correction {
                invoice: line.invoice.clone(),
                nth: *nth,
                sku: line.sku.clone(),
                delta: line.quantity,
            });
        } else {
            self.lines_ignored += 1;
        }
        Ok(())
    }

    fn add_cancellation_line(
        &mut self,
        line: &Line,
        places: &mut Places,
    ) -> Result<(), types::QuantityError> {
        let cancelled = CancelledLine {
            customer: line.customer.clone(),
            goods: sale_line(line)?,
        };
        let place = *places
            .cancellations
            .entry(line.invoice.clone())
            .or_insert_with(|| {
                self.cancellations.push(Cancellation {
                    invoice: line.invoice.clone(),
                    lines: Vec::new(),
                });
                self.cancellations.len() - 1
            });
        self.cancellations[place].lines.push(cancelled);
        Ok(())
    }

    /// The stock of every tracked SKU before the first order.
    pub fn opening_stock(&self, stock: Stock) -> BTreeMap<Sku, i64> {
        let tracked = self.items.iter().filter(|item| item.stock_tracked);
        let mut needs: BTreeMap<Sku, i64> = tracked.map(|item| (item.sku.clone(), 0)).collect();
        for line in self.sales.iter().flat_map(|sale| &sale.lines) {
            if let Some(need) = needs.get_mut(&line.sku) {
                *need += line.quantity.get();
            }
        }
        if stock == Stock::Tight {
            needs.values_mut().for_each(|need| *need = *need * 60 / 100);
            return needs;
        }
        for correction in self.corrections.iter().filter(|change| change.delta < 0) {
            if let Some(need) = needs.get_mut(&correction.sku) {
                *need -= correction.delta;
            }
        }
        needs
    }

    pub fn lines_ordered(&self) -> usize {
        self.sales.iter().map(|sale| sale.lines.len()).sum()
    }
}

/// Where an invoice met before is; the lines of one need not stand together.
#[derive(Default)]
struct Places {
    sales: HashMap<String, usize>,
    cancellations: HashMap<String, usize>,
    /// Corrections met so far.
    corrections: HashMap<String, usize>,
}

fn is_tracked(sku: &Sku) -> bool {
    sku.as_str()
        .starts_with(|first: char| first.is_ascii_digit())
}

fn sale_line(line: &Line) -> Result<SaleLine, types::QuantityError> {
    Ok(SaleLine {
        sku: line.sku.clone(),
        quantity: Quantity::try_from(line.quantity.saturating_abs())?,
        price: line.price,
    })
}

fn item_title(sku: &Sku, title: &str) -> String {
    let title: String = title
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect();
    if title.is_empty() {
        sku.as_str().to_owned()
    } else {
        title
    }
}
