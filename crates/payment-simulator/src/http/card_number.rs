//! Refuses card numbers wherever they turn up, before anything is stored or
//! logged.

/// Whether a parameter of this name carries card data. Names in metadata are the
/// shop's own.
pub fn is_card_field(name: &str) -> bool {
    if name.starts_with("metadata[") {
        return false;
    }
    let last = name.rsplit('[').next().unwrap_or(name);
    let last = last.trim_end_matches(']').to_ascii_lowercase();
    matches!(
        last.as_str(),
        "number" | "card_number" | "cardnumber" | "pan" | "cvc" | "cvv" | "exp_month" | "exp_year"
    )
}

/// Whether `text` has 13 to 19 digits in it, alone or grouped as on a card,
/// that pass the check of card numbers (Luhn).
///
/// Digits inside a longer word do not count, nor groups that no card has, so
/// that ids and UUIDs pass.
pub fn looks_like_card(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        if !bytes[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let end = run_end(bytes, start);
        let alone = |byte: Option<&u8>| !byte.is_some_and(|b| b.is_ascii_alphanumeric());
        let before = start.checked_sub(1).and_then(|index| bytes.get(index));
        if alone(before) && alone(bytes.get(end)) && is_card(&bytes[start..end]) {
            return true;
        }
        start = end;
    }
    false
}

/// The end of the digits that begin at `start`, over single spaces and dashes.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
        let separator = |index: usize| matches!(bytes.get(index), Some(b' ' | b'-'));
        if digit(end) {
            end += 1;
        } else if separator(end) && digit(end + 1) {
            end += 2;
        } else {
            return end;
        }
    }
}

fn is_card(run: &[u8]) -> bool {
    let mut groups = run.split(|byte| !byte.is_ascii_digit());
    let grouped = run.iter().any(|byte| !byte.is_ascii_digit());
    if grouped && !groups.all(|group| (3..=6).contains(&group.len())) {
        return false;
    }
    let digits: Vec<u32> = run
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| u32::from(byte - b'0'))
        .collect();
    (13..=19).contains(&digits.len()) && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::{is_card_field, looks_like_card};

    #[test]
    fn card_numbers_are_seen_in_every_common_form() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "card 4000-0566-5566-5556, thanks",
            "378282246310005",
            "3782 822463 10005",
            "(4222222222222)",
        ] {
            assert!(looks_like_card(text), "{text}");
        }
    }

    #[test]
    fn ids_and_amounts_are_no_card_numbers() {
        for text in [
            "4242424242424241",
            "99999999999",
            "01936f2e-8a4b-7c3d-8123-123456789012",
            "01936f2e-8a4b-7c3d-4242-424242424242",
            "pi_4242424242424242abc",
            "x4242424242424242",
            "2026-11-21 08:56:02",
            "42424242424242424242424242",
        ] {
            assert!(!looks_like_card(text), "{text}");
        }
    }

    #[test]
    fn fields_for_card_data_are_known_by_name() {
        assert!(is_card_field("card[number]"));
        assert!(is_card_field("payment_method_data[card][cvc]"));
        assert!(!is_card_field(
            "payment_method_options[card][request_multicapture]"
        ));
        assert!(!is_card_field("metadata[number]"));
    }
}
