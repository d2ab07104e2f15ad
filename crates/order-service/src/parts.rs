//! Cuts what was gathered where it would become too much for one statement or
//! one message.

/// Keeps the order. An item heavier than `limit` stands alone.
pub fn by_weight<T>(items: Vec<T>, limit: usize, weight: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut filled = 0;
    for item in items {
        let more = weight(&item);
        match parts.last_mut() {
            Some(part) if filled + more <= limit => {
                part.push(item);
                filled += more;
            }
            _ => {
                parts.push(vec![item]);
                filled = more;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::by_weight;

    #[test]
    fn a_batch_is_cut_before_it_is_too_heavy() {
        let sizes = |items: Vec<usize>| -> Vec<usize> {
            by_weight(items, 20, |item| *item)
                .iter()
                .map(Vec::len)
                .collect()
        };
        assert_eq!(sizes(vec![10, 10, 10]), [2, 1]);
        assert_eq!(sizes(vec![30, 1, 19, 1]), [1, 2, 1]);
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
    }
}
