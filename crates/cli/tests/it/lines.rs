//! Which lines of a sales file can be read.

use cli::replay::parse::{self as read, Kind, Sheet};

pub const HEADER: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

pub fn sheet(rows: &str) -> Sheet {
    read::parse(format!("{HEADER}{rows}").as_bytes()).unwrap()
}

/// What is said of the one malformed line.
fn problem(row: &str) -> String {
    let sheet = sheet(row);
    assert_eq!((sheet.lines.len(), sheet.malformed.len()), (0, 1), "{row}");
    sheet.malformed[0].problem.clone()
}

#[test]
fn a_line_is_read_exactly() {
    let sheet = sheet("536365, 85123a ,\"HEART, WHITE\",6,01/12/2010 08:26,2.55,17850,UK\n");
    let line = &sheet.lines[0];
    assert_eq!((line.number, line.kind), (2, Kind::Sale));
    assert_eq!(
        (line.code.as_str(), line.sku.as_str()),
        ("85123a", "85123A")
    );
    assert_eq!(line.title, "HEART, WHITE");
    assert_eq!((line.quantity, line.price.minor()), (6, 255));
    assert_eq!(line.time.to_string(), "2010-12-01 08:26:00");
    assert_eq!(line.customer.as_ref().unwrap().as_str(), "17850");
}

#[test]
fn bytes_are_iso_8859_1() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"1,2,CAF\xC9 \xA3,1,01/12/2010 08:26,1,,France\n");
    let sheet = read::parse(&bytes).unwrap();
    assert_eq!(sheet.lines[0].title, "CAFÉ £");
    assert_eq!(sheet.lines[0].customer, None);
}

#[test]
fn prices_never_go_through_a_float_and_are_never_rounded() {
    let price = |text: &str| {
        let sheet = sheet(&format!("1,2,x,1,01/12/2010 08:26,{text},,\n"));
        sheet.lines.first().map(|line| line.price.minor())
    };
    assert_eq!(price("2.55"), Some(255));
    assert_eq!(price("1.1"), Some(110));
    assert_eq!(price("90071992547409.93"), Some(9_007_199_254_740_993));
    assert_eq!(price("3.500"), Some(350));
    assert_eq!(price("0"), Some(0));
    for refused in [
        "0.001",
        "2,5",
        "1e2",
        "-1",
        "-0",
        ".5",
        "5.",
        "£2",
        "99999999999999999999",
    ] {
        assert_eq!(price(&format!("\"{refused}\"")), None, "{refused}");
    }
}

#[test]
fn what_cannot_be_read_is_kept_with_its_line_number_and_reason() {
    let sheet = sheet(
        "1,2,x,1,01/12/2010 08:26,1,,\n\
         A1,2,x,1,01/12/2010 08:26,1,,\n\
         1,2,\"two\nlines\",1,01/12/2010 08:26,1,,\n\
         1,2,x,one,01/12/2010 08:26,1,,\n",
    );
    let told: Vec<_> = sheet
        .malformed
        .iter()
        .map(|bad| (bad.number, bad.problem.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "InvoiceNo \"A1\" must be digits, or begin with C"),
            (
                6,
                "Quantity \"one\" must be a whole number from 1 to 1000000, either way"
            ),
        ]
    );
    assert_eq!(sheet.lines.len(), 2);
}

#[test]
fn empty_and_senseless_fields_are_malformed() {
    assert!(problem(",2,x,1,01/12/2010 08:26,1,,\n").starts_with("InvoiceNo"));
    assert!(problem("1,,x,1,01/12/2010 08:26,1,,\n").starts_with("StockCode"));
    assert!(problem("1,2,x,,01/12/2010 08:26,1,,\n").starts_with("Quantity"));
    assert!(problem("1,2,x,0,01/12/2010 08:26,1,,\n").starts_with("Quantity"));
    assert!(problem("1,2,x,1000001,01/12/2010 08:26,1,,\n").starts_with("Quantity"));
    assert!(problem("1,2,x,+1,01/12/2010 08:26,1,,\n").starts_with("Quantity"));
    assert!(problem("1,2,x,1,2010-12-01,1,,\n").starts_with("InvoiceDate"));
    assert!(problem("1,2,x,1,01/13/2010 08:26,1,,\n").starts_with("InvoiceDate"));
    assert!(problem("1,2,x,1,01/12/2010 08:26,,,\n").starts_with("UnitPrice"));
    assert!(problem("C1,2,x,1,01/12/2010 08:26,1,,\n").contains("cancellation"));
    assert_eq!(problem("1,2,x,1\n"), "must have 8 columns, got 4");
}

#[test]
fn a_file_with_other_columns_is_refused() {
    let error = read::parse(b"sku,title\n").unwrap_err();
    assert!(matches!(error, read::Error::Header { .. }));
    assert!(error.to_string().contains("InvoiceNo,StockCode"), "{error}");
}
