//! The exported name of a span, made of its attributes:
//! `send {messaging.destination.name}`.

use std::collections::BTreeMap;

/// The attributes that a pattern names.
pub(super) fn attributes(pattern: &str) -> impl Iterator<Item = &str> {
    let openings = pattern.split('{').skip(1);
    openings.filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The name of a span with these attributes; nothing stands for a missing one.
pub(super) fn filled(pattern: &str, values: &BTreeMap<String, String>) -> String {
    let mut name = pattern.to_owned();
    for attribute in attributes(pattern) {
        let value = values.get(attribute).map_or("", String::as_str);
        name = name.replace(&format!("{{{attribute}}}"), value);
    }
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_the_attributes_that_are_there() {
        let pattern = "{db.operation.name} {db.collection.name}";
        let mut values = BTreeMap::from([("db.operation.name".to_owned(), "COMMIT".to_owned())]);
        assert_eq!(filled(pattern, &values), "COMMIT");
        values.insert("db.collection.name".to_owned(), "orders".to_owned());
        assert_eq!(filled(pattern, &values), "COMMIT orders");
        assert_eq!(filled("saga", &values), "saga");
        let names: Vec<_> = attributes(pattern).collect();
        assert_eq!(names, ["db.operation.name", "db.collection.name"]);
    }
}
