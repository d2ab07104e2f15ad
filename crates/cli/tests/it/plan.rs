//! What the lines of a sales file mean for a shop.

use cli::replay::{Plan, Stock};

use crate::lines::sheet;

fn plan(rows: &str) -> Plan {
    Plan::of(&sheet(rows)).unwrap()
}

/// A row with a customer, at a fixed time.
fn row(invoice: &str, code: &str, quantity: i64, price: &str) -> String {
    format!("{invoice},{code},Title of {code},{quantity},01/12/2010 08:26,{price},7,UK\n")
}

#[test]
fn a_sale_is_one_order_with_its_lines_in_file_order() {
    let plan = plan(
        &[
            row("1", "20B", 2, "1.50"),
            row("2", "30", 1, "1"),
            row("1", "20b", 3, "1.25"),
            row("1", "POST", 1, "18"),
        ]
        .concat(),
    );
    assert_eq!(plan.sales.len(), 2);
    let lines: Vec<_> = plan.sales[0]
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity.get(), line.price.minor()))
        .collect();
    assert_eq!(lines, [("20B", 2, 150), ("20B", 3, 125), ("POST", 1, 1800)]);
    assert_eq!(plan.lines_ordered(), 4);
}

#[test]
fn codes_that_differ_in_case_become_one_sku() {
    let plan = plan(
        &[
            row("1", "20b", 1, "1"),
            row("1", "20B", 1, "1"),
            row("1", "30c", 1, "1"),
        ]
        .concat(),
    );
    let skus: Vec<_> = plan.items.iter().map(|item| item.sku.as_str()).collect();
    assert_eq!(skus, ["20B", "30C"]);
    assert_eq!(plan.merged_codes, 1);
}

#[test]
fn only_what_begins_with_a_digit_is_stock_tracked() {
    let plan = plan(
        &[
            row("1", "20", 1, "1"),
            row("1", "M", 1, "1"),
            row("1", "DCGS2", 1, "1"),
        ]
        .concat(),
    );
    let tracked: Vec<_> = plan
        .items
        .iter()
        .map(|item| (item.sku.as_str(), item.stock_tracked))
        .collect();
    assert_eq!(tracked, [("20", true), ("DCGS2", false), ("M", false)]);
}

#[test]
fn an_item_takes_its_first_title_or_else_its_sku() {
    let plan = plan(
        "1,20,,1,01/12/2010 08:26,1,,\n1,20,Mug,1,01/12/2010 08:26,1,,\n\
         1,20,Cup,1,01/12/2010 08:26,1,,\n1,30,,1,01/12/2010 08:26,1,,\n",
    );
    let titles: Vec<_> = plan.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Mug", "30"]);
}

#[test]
fn other_lines_of_a_sale_correct_the_stock_or_are_ignored() {
    let plan = plan(
        &[
            row("1", "20", -10, "0"),
            row("1", "20", 5, "0"),
            row("1", "20", -2, "3"),
            row("1", "M", 1, "0"),
            row("1", "M", -1, "4"),
        ]
        .concat(),
    );
    assert!(
        plan.sales.is_empty(),
        "a sale without a line to order is no order"
    );
    let corrections: Vec<_> = plan.corrections.iter().map(|c| (c.nth, c.delta)).collect();
    assert_eq!(corrections, [(1, -10), (2, 5), (3, -2)]);
    assert_eq!(plan.lines_ignored, 2);
}

#[test]
fn ample_stock_covers_orders_and_negative_corrections_and_tight_stock_does_not() {
    let plan = plan(
        &[
            row("1", "20", 7, "1"),
            row("2", "20", 4, "1"),
            row("3", "20", -5, "0"),
            row("3", "20", 9, "0"),
            row("3", "30", -1, "0"),
            row("C4", "40", -1, "1"),
            row("1", "POST", 1, "1"),
        ]
        .concat(),
    );
    let stock = |mode| -> Vec<(String, i64)> {
        let stock = plan.opening_stock(mode).into_iter();
        stock.map(|(sku, units)| (sku.to_string(), units)).collect()
    };
    let of = |pairs: [(&str, i64); 3]| pairs.map(|(sku, units)| (sku.to_owned(), units));
    assert_eq!(stock(Stock::Ample), of([("20", 16), ("30", 1), ("40", 0)]));
    assert_eq!(stock(Stock::Tight), of([("20", 6), ("30", 0), ("40", 0)]));
}

#[test]
fn every_line_is_counted_once() {
    let plan = plan(
        &[
            row("1", "20", 7, "1"),
            row("1", "20", -5, "0"),
            row("1", "M", -5, "0"),
            row("C2", "20", -1, "1"),
            row("X3", "20", 1, "1"),
        ]
        .concat(),
    );
    let account = cli::replay::Account::expected(&plan).unwrap();
    let lines = account.lines;
    let parts = [
        lines.ordered,
        lines.corrections,
        lines.returned,
        lines.unmatched,
        lines.ignored,
        lines.malformed,
    ];
    assert_eq!(parts, [1, 1, 1, 0, 1, 1]);
    assert_eq!(lines.read, 5);
}
