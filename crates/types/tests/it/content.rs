use types::forbidden_content;

/// Orders, articles and titles of a real shop.
const ORDERS: &str = include_str!("../../../e2e/data/online-retail-excerpt.csv");

#[test]
fn nothing_in_the_orders_of_a_real_shop_is_mistaken() {
    let mut read = 0;
    for line in ORDERS.lines() {
        assert_eq!(forbidden_content(line), None, "{line}");
        for field in line.split(',') {
            assert_eq!(forbidden_content(field), None, "{field}");
            read += 1;
        }
    }
    assert!(read > 1_000, "{read}");
}
