//! A guard against the worst mistake of a client: a card number where a token
//! belongs.

/// True for what could be a card number, with the usual separators. Never log
/// the text, whatever the answer.
pub(super) fn looks_like_one(text: &str) -> bool {
    let separator = |c: char| matches!(c, ' ' | '-' | '.' | '/' | '_');
    if !text.chars().all(|c| c.is_ascii_digit() || separator(c)) {
        return false;
    }
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    (12..=19).contains(&digits.len())
}

#[cfg(test)]
mod tests {
    use super::looks_like_one;

    #[test]
    fn numbers_are_told_from_tokens() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "3782-822463-10005",
        ] {
            assert!(looks_like_one(number), "{number}");
        }
        for token in ["pm_card_visa", "tok_4242424242424242", "12345", ""] {
            assert!(!looks_like_one(token), "{token}");
        }
    }
}
