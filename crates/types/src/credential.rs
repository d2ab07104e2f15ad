//! Finds what looks like a credential: a signed token, a secret key of a
//! provider, a private key.

/// Beginnings of secret keys, and how many letters and digits follow at least.
/// Publishable keys (`pk_`) and tokens of payment methods (`pm_`) are no secret.
const SECRET_KEYS: [(&str, usize); 12] = [
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("whsec_", 8),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("AKIA", 16),
];
const TOKEN_PART_MIN: usize = 8;
const BEARER_MIN: usize = 12;

/// Whether `text` holds a JSON web token, an `Authorization` value, a secret
/// key or the head of a private key.
pub fn holds_credential(text: &str) -> bool {
    holds_token(text) || holds_bearer(text) || holds_secret_key(text) || holds_private_key(text)
}

/// Base64 of `{"`, as every token's header begins, and a second part.
fn holds_token(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default();
        let mut parts = rest.split('.');
        let header = parts.next().unwrap_or_default();
        let payload = leading(parts.next().unwrap_or_default(), is_base64url);
        let is_header = header.len() >= TOKEN_PART_MIN && header.chars().all(is_base64url);
        is_header
            && payload.len() >= TOKEN_PART_MIN
            && (payload.starts_with("eyJ") || parts.next().is_some())
    })
}

/// The word after "Bearer" is long and no plain word: goods may well be called
/// cup bearer.
fn holds_bearer(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("bearer").any(|(at, word)| {
        let rest = text.get(at + word.len()..).unwrap_or_default();
        let token = rest.trim_start_matches([' ', ':', '=', '+', '\t']);
        let token = token.strip_prefix("%20").unwrap_or(token);
        let parted = token.len() < rest.len();
        let token = leading(token, is_token);
        parted && token.len() >= BEARER_MIN && !token.chars().all(char::is_alphabetic)
    })
}

fn holds_secret_key(text: &str) -> bool {
    SECRET_KEYS.iter().any(|(prefix, least)| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = text.get(at + prefix.len()..).unwrap_or_default();
            leading(rest, is_base64url).len() >= *least
        })
    })
}

fn holds_private_key(text: &str) -> bool {
    text.match_indices("-----BEGIN ").any(|(at, _)| {
        let line = text.get(at..).unwrap_or_default();
        line.find("PRIVATE KEY-----").is_some_and(|end| end < 40)
    })
}

fn leading(text: &str, is_part: fn(char) -> bool) -> &str {
    let end = text.find(|found| !is_part(found)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn is_base64url(found: char) -> bool {
    found.is_ascii_alphanumeric() || matches!(found, '-' | '_')
}

fn is_token(found: char) -> bool {
    is_base64url(found) || matches!(found, '.' | '~' | '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found() {
        for text in [
            "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl",
            "token: eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0.",
            "eyJhbGciOiJkaXIifQ..eyJub3QiOiJ0aGlzIn0 eyJhbGciOiJkaXIifQ.a2V5a2V5a2V5.aXY",
            "Authorization: Bearer 0123456789abcdef",
            "bearer%20mF_9.B5f-4.1JqM",
            "sk_live_51H8x0000000000",
            "paid with rk_test_abcdefgh01",
            "whsec_0123456789",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----\nMIIE",
            "-----BEGIN RSA PRIVATE KEY-----",
        ] {
            assert!(holds_credential(text), "{text}");
        }
    }

    #[test]
    fn other_words_are_not_mistaken() {
        for text in [
            "",
            "CUP BEARER DECORATION",
            "bearer",
            "Bearer of good news",
            "forbearer 12",
            "eyJ",
            "eyJhbGci.",
            "pk_live_51H8x0000000000",
            "pm_card_visa",
            "sk_live_",
            "risk_test_",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert!(!holds_credential(text), "{text}");
        }
    }
}
