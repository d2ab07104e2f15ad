//! What a good token says.

use std::{sync::Arc, time::SystemTime};

/// Whom a verified token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// 1 to 255 printable ASCII characters, without spaces around.
    pub subject: Arc<str>,
    /// In the order of the token, each once.
    pub scopes: Arc<[String]>,
    /// The program that the token was issued to, where the issuer tells.
    pub client: Option<Arc<str>>,
    /// When the token ends. A stream that outlives it goes on unchecked
    /// unless it looks here.
    pub expires_at: SystemTime,
}

impl Identity {
    pub fn holds(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }
}

/// Whether `text` is one scope as OAuth defines it: printable ASCII without
/// space, quote and backslash; here at most 128 characters.
pub fn is_scope(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}
