//! Finds what looks like an e-mail address.

/// Whether `text` holds something like name@host.tld, also with the at sign
/// written as in a URL (%40).
pub fn holds_email_address(text: &str) -> bool {
    at_signs(text).any(|(before, after)| ends_with_name(before) && begins_with_host(after))
}

fn at_signs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let signs = ["@", "%40", "\u{ff20}"];
    signs.into_iter().flat_map(move |sign| {
        text.match_indices(sign)
            .filter_map(move |(at, _)| Some((text.get(..at)?, text.get(at + sign.len()..)?)))
    })
}

fn ends_with_name(before: &str) -> bool {
    let last = before.chars().next_back();
    last.is_some_and(|last| last.is_alphanumeric() || matches!(last, '_' | '-' | '+' | '"' | '\''))
}

/// Labels parted by dots, the last of which has letters only, as every top
/// level domain has: prices and versions are no hosts.
fn begins_with_host(after: &str) -> bool {
    let end = after
        .find(|found: char| !found.is_alphanumeric() && !matches!(found, '-' | '.'))
        .unwrap_or(after.len());
    let host = after.get(..end).unwrap_or_default();
    let host = host.trim_end_matches(['.', '-']);
    let Some((name, tld)) = host.rsplit_once('.') else {
        return false;
    };
    let is_tld = tld.starts_with("xn--")
        || (tld.chars().count() >= 2 && tld.chars().all(char::is_alphabetic));
    is_tld && !name.is_empty() && name.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_found() {
        for text in [
            "anna@example.com",
            "Anna <anna.b+shop@mail.example.co.uk>, ring twice",
            "mailto:anna@example.com?subject=x",
            "anna%40example.com",
            "order-7/anna@example.com",
            "zoë@exämple.de",
            "anna@example.com.",
            "anna@xn--exmple-cua.xn--p1ai",
        ] {
            assert!(holds_email_address(text), "{text}");
        }
    }

    #[test]
    fn other_uses_of_the_sign_are_not_mistaken() {
        for text in [
            "3 @ 2.50",
            "10@2.50",
            "@example.com",
            "anna@localhost",
            "image@sha256:0123abcd",
            "a@b",
            "crate@1.2.3",
            "me@.com",
            "100%40",
        ] {
            assert!(!holds_email_address(text), "{text}");
        }
    }
}
