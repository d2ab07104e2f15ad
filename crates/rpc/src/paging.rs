//! Opaque, signed page tokens over keyset cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac, digest::Key};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{Problem, Reason};

const DEFAULT_SIZE: i64 = 50;
const MAX_SIZE: i32 = 100;
const TAG_BYTES: usize = 16;

/// Makes and reads the page tokens of a service. All replicas share the secret.
#[derive(Clone)]
pub struct Pages(Hmac<Sha256>);

impl Pages {
    pub fn new(secret: &SecretString) -> Self {
        let digest = Sha256::digest(secret.expose_secret().as_bytes());
        let mut key = Key::<Hmac<Sha256>>::default();
        for (to, from) in key.iter_mut().zip(digest) {
            *to = from;
        }
        Self(Hmac::new(&key))
    }

    /// Rows on a page: the caller's wish, 50 when it has none.
    ///
    /// # Errors
    /// `INVALID_FIELD` outside 0 to 100.
    pub fn size(&self, page_size: i32) -> Result<i64, Problem> {
        match page_size {
            0 => Ok(DEFAULT_SIZE),
            1..=MAX_SIZE => Ok(i64::from(page_size)),
            _ => Err(Problem::invalid(
                "page_size",
                format!("must be 0 to {MAX_SIZE}, got {page_size}"),
            )),
        }
    }

    /// `list` names the list and its filters: a token is good for no other.
    pub fn encode<C: Serialize>(&self, list: &str, cursor: &C) -> String {
        let body = serde_json::to_vec(cursor).unwrap_or_default();
        let mut token = self.tag(list, &body);
        token.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// `None` for the first page.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID` for a token that this list did not make.
    pub fn decode<C: DeserializeOwned>(
        &self,
        list: &str,
        token: &str,
    ) -> Result<Option<C>, Problem> {
        if token.is_empty() {
            return Ok(None);
        }
        self.open(list, token).map(Some).ok_or_else(|| {
            Problem::new(
                Reason::PageTokenInvalid,
                "page_token: must come from the page before, with the same filters",
            )
        })
    }

    fn open<C: DeserializeOwned>(&self, list: &str, token: &str) -> Option<C> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, body) = token.split_at_checked(TAG_BYTES)?;
        self.mac(list, body).verify_truncated_left(tag).ok()?;
        serde_json::from_slice(body).ok()
    }

    fn tag(&self, list: &str, body: &[u8]) -> Vec<u8> {
        let tag = self.mac(list, body).finalize().into_bytes();
        tag.iter().take(TAG_BYTES).copied().collect()
    }

    fn mac(&self, list: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&list.len().to_be_bytes());
        mac.update(list.as_bytes());
        mac.update(body);
        mac
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pages() -> Pages {
        Pages::new(&SecretString::from("one secret for all replicas"))
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let token = pages().encode("orders|customer=1", &(5_i64, "x".to_owned()));
        let cursor: Option<(i64, String)> = pages().decode("orders|customer=1", &token).unwrap();
        assert_eq!(cursor, Some((5, "x".to_owned())));
        assert!(
            pages()
                .decode::<(i64, String)>("orders|customer=2", &token)
                .is_err()
        );
        let other = Pages::new(&SecretString::from("another"));
        assert!(
            other
                .decode::<(i64, String)>("orders|customer=1", &token)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn no_string_is_mistaken_for_a_token(token in ".{1,80}") {
            prop_assert!(pages().decode::<i64>("orders", &token).is_err());
        }
    }
}
