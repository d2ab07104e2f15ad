//! The query of a URL.

use percent_encoding::percent_decode_str;

use crate::problem::Problem;

/// Names and values in their order. Text that is not UTF-8 is refused and not
/// repaired.
pub(crate) fn parse(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, Problem> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| Problem::invalid("query", "must be percent-encoded UTF-8"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_once() {
        let pairs = parse("sku=TEA%2BCUP+1&&flag&sku=%2525").unwrap();
        let expected = [("sku", "TEA+CUP 1"), ("flag", ""), ("sku", "%25")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs, expected);
        assert!(parse("sku=%ff").is_err());
    }
}
