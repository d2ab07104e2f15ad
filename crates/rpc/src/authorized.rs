//! A channel that shows who we are.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwapOption;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use tonic::body::Body;
use tower::Service;

use crate::Channel;

/// The token that a process shows to others: its own, never a caller's.
/// Clones share it, and it may be replaced at any time. It is never printed.
#[derive(Clone, Default)]
pub struct Token(Arc<ArcSwapOption<HeaderValue>>);

/// A token that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token must be printable ASCII")]
pub struct InvalidToken;

impl Token {
    /// Shown from the next call on. None: nothing is shown, as to peers that
    /// know us by our certificate.
    ///
    /// # Errors
    /// For a token that no header can carry; the old one stays then.
    pub fn set(&self, token: Option<&SecretString>) -> Result<(), InvalidToken> {
        let value = token.map(header).transpose()?;
        self.0.store(value.map(Arc::new));
        Ok(())
    }
}

fn header(token: &SecretString) -> Result<HeaderValue, InvalidToken> {
    let text = format!("Bearer {}", token.expose_secret().trim());
    let mut value = HeaderValue::try_from(text).map_err(|_| InvalidToken)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A channel that shows a token with each call.
#[derive(Debug, Clone)]
pub struct Authorized {
    channel: Channel,
    token: Token,
}

impl Authorized {
    pub fn new(channel: Channel, token: Token) -> Self {
        Self { channel, token }
    }
}

impl Service<Request<Body>> for Authorized {
    type Response = <Channel as Service<Request<Body>>>::Response;
    type Error = <Channel as Service<Request<Body>>>::Error;
    type Future = <Channel as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(token) = self.token.0.load().as_deref() {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        self.channel.call(request)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_token_can_be_replaced_but_not_by_one_that_cannot_be_sent() {
        let token = Token::default();
        token.set(Some(&"one".into())).unwrap();
        let shown = || token.0.load().as_deref().cloned();
        assert_eq!(shown().unwrap(), "Bearer one");
        assert!(shown().unwrap().is_sensitive());
        assert_eq!(token.set(Some(&"t\nwo".into())), Err(InvalidToken));
        assert_eq!(shown().unwrap(), "Bearer one");
        token.set(Some(&" two\n".into())).unwrap();
        assert_eq!(shown().unwrap(), "Bearer two");
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
