//! base64url as tokens use it: no padding, no stray bits, nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
