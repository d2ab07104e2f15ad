//! From a CSV file to items and stock, naming every line and column that is
//! wrong.

use std::collections::{BTreeMap, HashMap};

use csv::StringRecord;
use types::{Currency, LocationId, Money, Sku};

const REQUIRED: [&str; 5] = ["sku", "title", "price", "currency", "on_hand"];
const OPTIONAL: [&str; 2] = ["location", "tracked"];
const TITLE_CHARS_MAX: usize = 200;
const ON_HAND_MAX: i64 = 1_000_000_000;

/// What a file says there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// In the order of their SKUs.
    pub items: Vec<Item>,
    /// In the order of the file.
    pub stock: Vec<Stock>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub sku: Sku,
    pub title: String,
    /// `None` for what is sold only at a price given by the order.
    pub price: Option<Money>,
    pub stock_tracked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    pub sku: Sku,
    /// `None`: the main location.
    pub location: Option<LocationId>,
    pub on_hand: i64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct Wrong {
    /// Counted from 1, the header included.
    pub line: u64,
    pub column: &'static str,
    pub problem: String,
}

/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn parse(text: &[u8]) -> Result<Catalogue, Vec<Wrong>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let columns = reader
        .headers()
        .map_err(|error| vec![wrong(1, "sku", error)])
        .and_then(columns)?;
    let mut checked = Checked::default();
    for record in reader.records() {
        match record {
            Ok(record) => checked.add(&Row {
                columns: &columns,
                record: &record,
            }),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                checked.wrong.push(wrong(line, "sku", error));
            }
        }
    }
    checked.finish()
}

fn wrong(line: u64, column: &'static str, problem: impl ToString) -> Wrong {
    let problem = problem.to_string();
    Wrong {
        line,
        column,
        problem,
    }
}

type Columns = HashMap<&'static str, usize>;

fn columns(header: &StringRecord) -> Result<Columns, Vec<Wrong>> {
    let known = || REQUIRED.into_iter().chain(OPTIONAL);
    let unknown = header
        .iter()
        .filter(|name| !known().any(|known| known == *name));
    let mut problems: Vec<Wrong> = unknown
        .map(|name| {
            let all = known().collect::<Vec<_>>().join(",");
            wrong(1, "header", format!("{name:?} is no column of {all}"))
        })
        .collect();
    let place = |name| header.iter().position(|column| column == name);
    let columns: Columns = known()
        .filter_map(|name| Some((name, place(name)?)))
        .collect();
    let missing = REQUIRED.iter().filter(|name| !columns.contains_key(*name));
    problems.extend(missing.map(|name| wrong(1, name, "the column is missing")));
    if problems.is_empty() {
        Ok(columns)
    } else {
        Err(problems)
    }
}

struct Row<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Row<'_> {
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// Empty also where the file has no such column.
    fn text(&self, column: &'static str) -> &str {
        let place = self.columns.get(column);
        place
            .and_then(|place| self.record.get(*place))
            .unwrap_or_default()
    }

    fn parse<T, E: std::fmt::Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Vec<Wrong>,
    ) -> Option<T> {
        let text = self.text(column);
        let problem = |error| format!("{text:?} {error}");
        let parsed = parse(text).map_err(|error| wrong(self.line(), column, problem(error)));
        parsed.map_err(|wrong| problems.push(wrong)).ok()
    }
}

#[derive(Default)]
struct Checked {
    items: BTreeMap<Sku, Item>,
    stock: Vec<Stock>,
    wrong: Vec<Wrong>,
}

impl Checked {
    fn add(&mut self, row: &Row<'_>) {
        let problems = &mut self.wrong;
        let sku = row.parse("sku", Sku::parse, problems);
        let title = row.parse("title", title, problems);
        let tracked = row.parse("tracked", tracked, problems);
        let price = price(row, problems);
        let on_hand = row.parse("on_hand", |text| on_hand(text, tracked), problems);
        let location = row.parse("location", location, problems);
        let item = (|| {
            Some(Item {
                sku: sku.clone()?,
                title: title?,
                price: price?,
                stock_tracked: tracked?,
            })
        })();
        if let Some(item) = item {
            self.add_item(row.line(), item);
        }
        if let (Some(sku), Some(location), Some(Some(on_hand))) = (sku, location, on_hand) {
            self.add_stock(
                row.line(),
                Stock {
                    sku,
                    location,
                    on_hand,
                },
            );
        }
    }

    /// A SKU may stand on several lines, one for each location.
    fn add_item(&mut self, line: u64, item: Item) {
        match self.items.get(&item.sku) {
            Some(before) if *before != item => self.wrong.push(wrong(
                line,
                "sku",
                format!(
                    "{} stands above with another title, price or tracked",
                    item.sku
                ),
            )),
            _ => drop(self.items.insert(item.sku.clone(), item)),
        }
    }

    fn add_stock(&mut self, line: u64, stock: Stock) {
        let same = |other: &&Stock| other.sku == stock.sku && other.location == stock.location;
        if self.stock.iter().any(|other| same(&other)) {
            let problem = format!("{} stands above at the same location", stock.sku);
            self.wrong.push(wrong(line, "sku", problem));
        } else {
            self.stock.push(stock);
        }
    }

    fn finish(self) -> Result<Catalogue, Vec<Wrong>> {
        if !self.wrong.is_empty() {
            return Err(self.wrong);
        }
        Ok(Catalogue {
            items: self.items.into_values().collect(),
            stock: self.stock,
        })
    }
}

fn title(text: &str) -> Result<String, String> {
    if text.chars().count() > TITLE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!(
            "must be up to {TITLE_CHARS_MAX} characters without control characters"
        ));
    }
    Ok(text.to_owned())
}

fn tracked(text: &str) -> Result<bool, &'static str> {
    match text {
        "" | "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("must be true or false"),
    }
}

/// `Some(None)` when there is no list price, `None` when it is wrong.
fn price(row: &Row<'_>, problems: &mut Vec<Wrong>) -> Option<Option<Money>> {
    if row.text("price").is_empty() {
        return Some(None);
    }
    let currency = row.parse("currency", Currency::parse, problems)?;
    let money = |text: &str| match Money::parse_decimal(text, currency) {
        Ok(price) if price.is_negative() => Err("must not be negative".to_owned()),
        Ok(price) => Ok(price),
        Err(error) => Err(error.to_string()),
    };
    row.parse("price", money, problems).map(Some)
}

/// Nothing to set for what is not counted.
fn on_hand(text: &str, tracked: Option<bool>) -> Result<Option<i64>, String> {
    if tracked == Some(false) {
        return match text {
            "" | "0" => Ok(None),
            _ => Err("must be empty where tracked is false".to_owned()),
        };
    }
    let units = text.parse::<i64>().ok();
    let units = units.filter(|units| (0..=ON_HAND_MAX).contains(units));
    match units {
        Some(units) => Ok(Some(units)),
        None => Err(format!("must be a whole number from 0 to {ON_HAND_MAX}")),
    }
}

fn location(text: &str) -> Result<Option<LocationId>, types::ParseTextError> {
    if text.is_empty() {
        return Ok(None);
    }
    LocationId::parse(text).map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    const HEADER: &str = "sku,title,price,currency,on_hand,location,tracked\n";

    fn problems(rows: &str) -> Vec<String> {
        let wrong = parse(format!("{HEADER}{rows}").as_bytes()).unwrap_err();
        wrong.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn items_and_stock_are_read_by_column_name() {
        let file = "currency,on_hand,price,title,sku\nGBP,40,7.5,A mug,mug\nJPY,0,7,Cup,cup\n";
        let catalogue = parse(file.as_bytes()).unwrap();
        let skus: Vec<_> = catalogue
            .items
            .iter()
            .map(|item| item.sku.as_str())
            .collect();
        assert_eq!(skus, ["cup", "mug"]);
        assert_eq!(catalogue.items[1].price.unwrap().minor(), 750);
        assert_eq!(catalogue.items[0].price.unwrap().minor(), 7);
        assert!(catalogue.items[0].stock_tracked);
        assert_eq!(catalogue.stock[0].on_hand, 40);
        assert_eq!(catalogue.stock[0].location, None);
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_line_and_column() {
        let told = problems(
            "mug,Mug,7.505,GBP,1,,\n\
             cup,Cup,1,gbp,1,,\n\
             lid,Lid,1,GBP,-1,,maybe\n\
             ,Nothing,1,GBP,1,,\n",
        );
        assert_eq!(
            told,
            [
                "line 2, column price: \"7.505\" must have at most 2 decimal places in GBP",
                "line 3, column currency: \"gbp\" must be an ISO 4217 currency code of three \
                 capital letters, such as GBP",
                "line 4, column tracked: \"maybe\" must be true or false",
                "line 4, column on_hand: \"-1\" must be a whole number from 0 to 1000000000",
                "line 5, column sku: \"\" must be 1 to 64 printable ASCII characters, got 0",
            ]
        );
    }

    #[test]
    fn a_sku_may_stand_at_two_locations_but_not_twice_at_one() {
        let two = format!("{HEADER}mug,Mug,1,GBP,1,north,\nmug,Mug,1,GBP,2,south,\n");
        let catalogue = parse(two.as_bytes()).unwrap();
        assert_eq!((catalogue.items.len(), catalogue.stock.len()), (1, 2));
        assert_eq!(
            problems("mug,Mug,1,GBP,1,north,\nmug,Mug,1,GBP,2,north,\n"),
            ["line 3, column sku: mug stands above at the same location"]
        );
        assert_eq!(
            problems("mug,Mug,1,GBP,1,north,\nmug,Mug,2,GBP,2,south,\n"),
            ["line 3, column sku: mug stands above with another title, price or tracked"]
        );
    }

    #[test]
    fn what_is_not_counted_has_no_stock_and_may_have_no_price() {
        let catalogue = parse(format!("{HEADER}post,Postage,,,,,false\n").as_bytes()).unwrap();
        assert_eq!(catalogue.items[0].price, None);
        assert!(!catalogue.items[0].stock_tracked);
        assert!(catalogue.stock.is_empty());
        assert_eq!(
            problems("post,Postage,,,5,,false\n"),
            ["line 2, column on_hand: \"5\" must be empty where tracked is false"]
        );
    }

    #[test]
    fn a_missing_or_unknown_column_is_named() {
        let wrong = parse(b"sku,title,price,colour,on_hand\n").unwrap_err();
        let told: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 1, column header: \"colour\" is no column of \
                 sku,title,price,currency,on_hand,location,tracked",
                "line 1, column currency: the column is missing",
            ]
        );
    }

    #[test]
    fn a_row_with_too_few_fields_is_named() {
        let wrong = parse(format!("{HEADER}mug,Mug\n").as_bytes()).unwrap_err();
        assert_eq!(wrong[0].line, 2);
    }
}
