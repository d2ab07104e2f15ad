//! Which orders a cancellation brings back.

use cli::replay::{
    Plan,
    returns::{Returns, match_returns},
};

use crate::lines::sheet;

/// One line: invoice, SKU, quantity, day of December, price, customer.
type Row = (
    &'static str,
    &'static str,
    i64,
    u32,
    &'static str,
    &'static str,
);

fn returns_if(rows: &[Row], is_confirmed: impl Fn(&str) -> bool) -> Returns {
    let rows = rows
        .iter()
        .map(|(invoice, sku, quantity, day, price, customer)| {
            format!("{invoice},{sku},x,{quantity},{day:02}/12/2010 08:26,{price},{customer},UK\n")
        });
    let plan = Plan::of(&sheet(&rows.collect::<String>())).unwrap();
    match_returns(&plan, is_confirmed)
}

fn returns(rows: &[Row]) -> Returns {
    returns_if(rows, |_| true)
}

/// (order, line number, units) of everything that comes back.
fn flat(returns: &Returns) -> Vec<(&str, i32, i64)> {
    let flat = returns.returns.iter().flat_map(|back| {
        let units = back.units.iter();
        units.map(|(line, units)| (back.sale.as_str(), *line, *units))
    });
    flat.collect()
}

#[test]
fn the_latest_order_comes_back_first_and_only_as_far_as_it_goes() {
    let found = returns(&[
        ("1", "20", 5, 1, "1.00", "7"),
        ("2", "20", 5, 3, "1.00", "7"),
        ("3", "20", 5, 2, "1.00", "7"),
        ("C4", "20", -7, 4, "1.00", "7"),
        ("C5", "20", -6, 5, "1.00", "7"),
    ]);
    assert_eq!(
        flat(&found),
        [("2", 1, 5), ("3", 1, 2), ("3", 1, 3), ("1", 1, 3)]
    );
    assert_eq!((found.lines_returned, found.units_unmatched), (2, 0));
}

#[test]
fn of_two_orders_of_one_minute_the_later_in_the_file_is_the_latest() {
    let found = returns(&[
        ("2", "20", 5, 1, "1.00", "7"),
        ("1", "20", 5, 1, "1.00", "7"),
        ("C4", "20", -1, 4, "1.00", "7"),
    ]);
    assert_eq!(flat(&found), [("1", 1, 1)]);
}

#[test]
fn customer_sku_and_price_must_be_the_same() {
    let found = returns(&[
        ("1", "20", 5, 1, "1.00", "7"),
        ("C2", "20", -1, 2, "1.01", "7"),
        ("C3", "20", -1, 2, "1.00", "8"),
        ("C4", "21", -1, 2, "1.00", "7"),
        ("C5", "20", -1, 2, "1", "7"),
    ]);
    assert_eq!(flat(&found), [("1", 1, 1)]);
    assert_eq!((found.lines_returned, found.lines_unmatched), (1, 3));
    assert_eq!(found.units_unmatched, 3);
}

#[test]
fn a_guest_gets_nothing_back_not_even_from_a_guest() {
    let found = returns(&[("1", "20", 5, 1, "1", ""), ("C2", "20", -2, 2, "1", "")]);
    assert_eq!(flat(&found), []);
    assert_eq!((found.lines_unmatched, found.units_unmatched), (1, 2));
}

#[test]
fn a_line_that_is_partly_matched_is_returned_and_its_rest_unmatched() {
    let found = returns(&[("1", "20", 5, 1, "1", "7"), ("C2", "20", -8, 2, "1", "7")]);
    assert_eq!(flat(&found), [("1", 1, 5)]);
    assert_eq!((found.lines_returned, found.lines_unmatched), (1, 0));
    assert_eq!(found.units_unmatched, 3);
}

#[test]
fn an_order_that_was_not_confirmed_cannot_come_back() {
    let rows = [
        ("1", "20", 5, 1, "1", "7"),
        ("2", "20", 5, 2, "1", "7"),
        ("C3", "20", -2, 3, "1", "7"),
    ];
    let found = returns_if(&rows, |invoice| invoice == "1");
    assert_eq!(flat(&found), [("1", 1, 2)]);
}

#[test]
fn lines_of_one_cancellation_that_meet_on_one_order_are_one_return() {
    let found = returns(&[
        ("1", "20", 5, 1, "1", "7"),
        ("1", "POST", 1, 1, "18", "7"),
        ("1", "20", 3, 1, "1", "7"),
        ("C2", "20", -4, 2, "1", "7"),
        ("C2", "20", -2, 2, "1", "7"),
        ("C2", "POST", -1, 2, "18", "7"),
    ]);
    assert_eq!(found.returns.len(), 1);
    assert_eq!(flat(&found), [("1", 1, 5), ("1", 2, 1), ("1", 3, 1)]);
    assert_eq!(found.lines_returned, 3);
}
