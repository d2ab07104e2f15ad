//! From a token to an identity.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::task::AbortHandle;

use crate::{
    Error, Identity, Rejected,
    claims::Rules,
    keeper::Keeper,
    keys::Keys,
    proven::Proven,
    settings::{Mode, Settings},
    source::Reader,
    token::Token,
};

/// Verifies tokens. Cheap to clone; all clones share their keys.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    keeper: Arc<Keeper>,
    proven: Proven,
    refresh: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.refresh.abort();
    }
}

impl Authenticator {
    /// Reads the keys, and keeps them fresh from then on. An issuer that
    /// cannot be reached is tried again in the background, and until then
    /// tokens are refused with [`Rejected::KeysUnavailable`].
    ///
    /// # Errors
    /// Settings that are not good, or not for tokens; a file of keys that
    /// cannot be read.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        if settings.mode == Mode::None {
            return Err(Error::NoTokens);
        }
        let reader = Reader::new(settings)?;
        let is_file = reader.is_file();
        let keeper = Arc::new(Keeper::new(reader, settings));
        match keeper.read().await {
            Err(error) if is_file => return Err(error),
            _ => {}
        }
        let background = keeper.clone();
        let refresh = tokio::spawn(async move { background.run().await });
        Ok(Self(Arc::new(Inner {
            rules: Rules::of(settings)?,
            keeper,
            proven: Proven::default(),
            refresh: refresh.abort_handle(),
        })))
    }

    /// Whom `token` speaks for: the compact form alone, without `Bearer`.
    /// Waits only where the token names a key that we do not have, and then
    /// for at most one fetch.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub async fn verify(&self, token: &str) -> Result<Identity, Rejected> {
        let text = token;
        let token = Token::parse(text)?;
        let fingerprint = Proven::fingerprint(text);
        let keeper = &self.0.keeper;
        let mut keys = keeper.keys().ok_or(Rejected::KeysUnavailable)?;
        if self.0.proven.holds(&keys, &fingerprint) {
            return self.0.rules.judge(&token.payload, now());
        }
        let payload = match proven(&token, &keys) {
            Err(Rejected::UnknownKey) if token.header.kid.is_some() => {
                let newer = keeper.newer_than(&keys).await;
                keys = newer.ok_or(Rejected::UnknownKey)?;
                proven(&token, &keys)?
            }
            payload => payload?,
        };
        self.0.proven.add(&keys, fingerprint);
        self.0.rules.judge(payload, now())
    }
}

/// The payload, once its signature is proven.
pub(crate) fn proven<'t>(token: &'t Token<'_>, keys: &Keys) -> Result<&'t [u8], Rejected> {
    let mut rejected = Rejected::Algorithm;
    for key in keys.named(token.header.kid.as_deref())? {
        let Some(algorithm) = key.algorithm(&token.header.alg) else {
            continue;
        };
        if key.signed(token.message, token.signature, algorithm) {
            return Ok(&token.payload);
        }
        rejected = Rejected::Signature;
    }
    Err(rejected)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
