//! Spreading a quantity over locations.

use types::LocationId;

use super::level::Level;

/// Which location is emptied first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    #[default]
    Priority,
    MostAvailable,
}

/// Takes up to `quantity` units from `levels`, all of one SKU: first what is
/// on the shelves, in the order of the strategy, then backorders. Equal
/// locations are taken in order of their ids.
pub fn allocate(levels: &[&Level], quantity: i64, strategy: Strategy) -> Vec<(LocationId, i64)> {
    let mut taken = vec![0; levels.len()];
    let mut left = quantity;
    let backorders = |level: &Level| level.reservable() - level.available();
    take(levels, &mut taken, &mut left, strategy, Level::available);
    take(levels, &mut taken, &mut left, strategy, backorders);
    levels
        .iter()
        .zip(taken)
        .filter(|(_, units)| *units > 0)
        .map(|(level, units)| (level.location_id.clone(), units))
        .collect()
}

fn take(
    levels: &[&Level],
    taken: &mut [i64],
    left: &mut i64,
    strategy: Strategy,
    supply: impl Fn(&Level) -> i64,
) {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by_key(|&place| {
        let level = levels[place];
        let most = match strategy {
            Strategy::Priority => 0,
            Strategy::MostAvailable => -supply(level),
        };
        (most, level.priority, &level.location_id)
    });
    for place in order {
        let units = supply(levels[place]).min(*left);
        taken[place] += units;
        *left -= units;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use types::Sku;

    use super::*;

    fn level(location: &str, priority: i32, on_hand: i64, backorder_limit: i64) -> Level {
        Level {
            sku: Sku::parse("A").unwrap(),
            location_id: LocationId::parse(location).unwrap(),
            priority,
            on_hand,
            held: 0,
            committed: 0,
            safety_stock: 0,
            backorder_limit,
            version: 0,
        }
    }

    fn spread(levels: &[Level], quantity: i64, strategy: Strategy) -> Vec<(String, i64)> {
        let levels: Vec<&Level> = levels.iter().collect();
        allocate(&levels, quantity, strategy)
            .into_iter()
            .map(|(location, units)| (location.to_string(), units))
            .collect()
    }

    #[test]
    fn thirteen_units_over_ten_and_fifteen_become_ten_and_three() {
        let levels = [level("a", 0, 10, 0), level("b", 1, 15, 0)];
        assert_eq!(
            spread(&levels, 13, Strategy::Priority),
            [("a".into(), 10), ("b".into(), 3)]
        );
    }

    #[test]
    fn most_available_empties_the_fullest_location_first() {
        let levels = [level("a", 0, 10, 0), level("b", 1, 15, 0)];
        assert_eq!(
            spread(&levels, 18, Strategy::MostAvailable),
            [("a".into(), 3), ("b".into(), 15)]
        );
    }

    #[test]
    fn shelves_are_emptied_before_anything_is_backordered() {
        let levels = [level("a", 0, 2, 10), level("b", 1, 3, 0)];
        assert_eq!(
            spread(&levels, 6, Strategy::Priority),
            [("a".into(), 3), ("b".into(), 3)]
        );
    }

    #[test]
    fn what_is_not_there_is_not_allocated() {
        let levels = [level("a", 0, 2, 1), level("b", 1, 3, 0)];
        let units: i64 = spread(&levels, 100, Strategy::Priority)
            .iter()
            .map(|(_, units)| units)
            .sum();
        assert_eq!(units, 6);
    }

    #[test]
    fn safety_stock_eats_into_backorders_too() {
        let mut scarce = level("a", 0, 1, 3);
        scarce.safety_stock = 2;
        assert_eq!(scarce.available(), 0);
        assert_eq!(spread(&[scarce], 9, Strategy::Priority), [("a".into(), 2)]);
    }
}
