//! Files of an operator: a catalogue, and sales to be replayed.

use std::collections::BTreeSet;

use cli::{
    import,
    replay::{self, Plan, Stock, returns::match_returns},
};

pub(crate) fn catalogue(data: &[u8]) {
    match import::parse(data) {
        Ok(catalogue) => {
            let mut skus = BTreeSet::new();
            assert!(catalogue.items.iter().all(|item| skus.insert(&item.sku)));
            let known = |stock: &import::parse::Stock| skus.contains(&stock.sku);
            assert!(catalogue.stock.iter().all(known));
        }
        Err(wrong) => {
            assert!(!wrong.is_empty());
            assert!(
                wrong
                    .iter()
                    .all(|one| one.line > 0 && !one.problem.is_empty()),
                "{wrong:?}"
            );
        }
    }
}

pub(crate) fn sales(data: &[u8]) {
    let Ok(sheet) = replay::parse(data) else {
        return;
    };
    for malformed in &sheet.malformed {
        assert!(malformed.number > 1 && !malformed.problem.is_empty());
    }
    let Ok(plan) = Plan::of(&sheet) else { return };
    assert!(plan.lines_ordered() <= sheet.lines.len());
    for stock in [Stock::Ample, Stock::Tight] {
        assert!(plan.opening_stock(stock).values().all(|units| *units >= 0));
    }
    let _ = match_returns(&plan, |invoice| invoice.len() % 2 == 0);
}
