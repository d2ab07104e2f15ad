//! Parameters that are meant for card data: they are refused by name, before
//! anything is stored or logged.

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

#[cfg(test)]
mod tests {
    use super::is_card_field;

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
