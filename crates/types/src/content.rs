//! What a text that is stored or logged must not hold.

use crate::{
    card_number::holds_card_number, credential::holds_credential,
    email_address::holds_email_address,
};

/// What was found in a text; never the text itself. Its `Display` is an
/// expectation: "must not hold a card number".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The shop handles tokens of payment providers only.
    #[error("must not hold a card number")]
    CardNumber,
    /// The shop stores no personal data: its ids of customers are opaque.
    #[error("must not hold an e-mail address")]
    EmailAddress,
    /// A token, a secret key or a private key, pasted where it does not belong.
    #[error("must not hold a credential")]
    Credential,
}

/// What `text` holds that must not be stored anywhere, if anything.
pub fn forbidden_content(text: &str) -> Option<Forbidden> {
    if holds_card_number(text) {
        Some(Forbidden::CardNumber)
    } else if holds_credential(text) {
        Some(Forbidden::Credential)
    } else if holds_email_address(text) {
        Some(Forbidden::EmailAddress)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_without_the_text() {
        let table = [
            ("4242 4242 4242 4242", "must not hold a card number"),
            ("anna@example.com", "must not hold an e-mail address"),
            ("Bearer abcdef0123456789", "must not hold a credential"),
        ];
        for (text, told) in table {
            let found = forbidden_content(text).map(|found| found.to_string());
            assert_eq!(found.as_deref(), Some(told), "{text}");
        }
    }

    #[test]
    fn the_shop_s_own_texts_are_free_of_it() {
        for text in [
            "",
            "order-service",
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "pm_card_visa",
            "pi_3NtQ4242424242424242",
            "WHITE HANGING HEART T-LIGHT HOLDER",
            "85123A",
            "replay:online-retail:536365",
            "order 42 @ 3.50 each",
        ] {
            assert_eq!(forbidden_content(text), None, "{text}");
        }
    }
}
