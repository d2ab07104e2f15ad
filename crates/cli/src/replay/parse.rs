//! From the bytes of a sales file to lines, without a judgement on what they
//! mean. What cannot be a line is kept with its number and the reason.

use chrono::NaiveDateTime;
use csv::ByteRecord;
use types::{Currency, CustomerId, Money, Quantity, Sku};

const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];
const DATE: &str = "%d/%m/%Y %H:%M";
/// All prices of the file are in pounds.
pub const CURRENCY: &str = "GBP";

/// What an invoice's number says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sale,
    Cancellation,
}

/// One line of the file that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1, the header included.
    pub number: u64,
    pub kind: Kind,
    pub invoice: String,
    /// As in the file, trimmed; the SKU is this in capitals.
    pub code: String,
    pub sku: Sku,
    pub title: String,
    /// Not 0; below 0 for what comes back or is corrected.
    pub quantity: i64,
    pub time: NaiveDateTime,
    /// Not negative.
    pub price: Money,
    /// `None` for a guest.
    pub customer: Option<CustomerId>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub number: u64,
    pub problem: String,
}

/// All of a file.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    pub lines: Vec<Line>,
    pub malformed: Vec<Malformed>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the first line must be {}, got {got:?}", COLUMNS.join(","))]
    Header { got: String },
    #[error("it is no CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Currency(#[from] types::ParseCurrencyError),
}

/// Reads a whole file in ISO-8859-1.
///
/// # Errors
/// Only when it is no such file at all; single lines end in `malformed`.
pub fn parse(bytes: &[u8]) -> Result<Sheet, Error> {
    let currency = Currency::parse(CURRENCY)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = texts(reader.byte_headers()?);
    if header != COLUMNS {
        let got = header.join(",");
        return Err(Error::Header { got });
    }
    let mut sheet = Sheet::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let number = record.position().map_or(0, csv::Position::line);
        match line(number, &texts(&record), currency) {
            Ok(line) => sheet.lines.push(line),
            Err(problem) => sheet.malformed.push(Malformed { number, problem }),
        }
    }
    Ok(sheet)
}

/// In ISO-8859-1 each byte is the character of the same number.
fn texts(record: &ByteRecord) -> Vec<String> {
    let text = |field: &[u8]| {
        field
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
    };
    record
        .iter()
        .map(|field| text(field).trim().to_owned())
        .collect()
}

fn line(number: u64, fields: &[String], currency: Currency) -> Result<Line, String> {
    let [
        invoice,
        code,
        title,
        quantity,
        date,
        price,
        customer,
        _country,
    ] = fields
    else {
        let (wanted, got) = (COLUMNS.len(), fields.len());
        return Err(format!("must have {wanted} columns, got {got}"));
    };
    let kind = kind(invoice)?;
    let wrong =
        |column: &str, text: &str, why: &dyn std::fmt::Display| format!("{column} {text:?} {why}");
    let sku = Sku::parse(&code.to_ascii_uppercase()).map_err(|e| wrong("StockCode", code, &e))?;
    let quantity = units(quantity, kind).map_err(|e| wrong("Quantity", quantity, &e))?;
    let time = NaiveDateTime::parse_from_str(date, DATE)
        .map_err(|_| wrong("InvoiceDate", date, &"must be DD/MM/YYYY HH:MM"))?;
    let price = unit_price(price, currency).map_err(|e| wrong("UnitPrice", price, &e))?;
    let customer = Some(customer.as_str())
        .filter(|customer| !customer.is_empty())
        .map(|text| CustomerId::parse(text).map_err(|e| wrong("CustomerID", text, &e)))
        .transpose()?;
    Ok(Line {
        number,
        kind,
        invoice: invoice.clone(),
        code: code.clone(),
        sku,
        title: title.clone(),
        quantity,
        time,
        price,
        customer,
    })
}

fn kind(invoice: &str) -> Result<Kind, String> {
    if invoice.starts_with('C') {
        Ok(Kind::Cancellation)
    } else if !invoice.is_empty() && invoice.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(Kind::Sale)
    } else {
        Err(format!(
            "InvoiceNo {invoice:?} must be digits, or begin with C"
        ))
    }
}

fn units(text: &str, kind: Kind) -> Result<i64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let quantity = text
        .parse::<i64>()
        .ok()
        .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|quantity| (1..=Quantity::MAX.unsigned_abs()).contains(&quantity.unsigned_abs()))
        .ok_or_else(|| {
            let max = Quantity::MAX;
            format!("must be a whole number from 1 to {max}, either way")
        })?;
    if kind == Kind::Cancellation && quantity > 0 {
        return Err("must be below 0 in a cancellation".to_owned());
    }
    Ok(quantity)
}

/// An amount that needs more places than its currency has is refused rather
/// than rounded: no two programs round alike.
fn unit_price(text: &str, currency: Currency) -> Result<Money, String> {
    let price = Money::parse_decimal(text, currency).map_err(|error| error.to_string())?;
    if text.starts_with('-') {
        return Err("must not be negative".to_owned());
    }
    Ok(price)
}
