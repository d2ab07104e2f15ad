//! What a token says, and whether it says it to us, now.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use serde::Deserialize;

use crate::{
    Identity, Rejected,
    identity::is_scope,
    settings::{Invalid, Settings},
};

/// The end of the year 9999. What lies beyond are milliseconds.
const TIME_MAX: u64 = 253_402_300_799;
const AUDIENCES_MAX: usize = 100;
const SCOPES_MAX: usize = 200;
const SUBJECT_BYTES_MAX: usize = 255;

/// What tokens must say.
#[derive(Debug)]
pub(crate) struct Rules {
    issuer: String,
    audience: String,
    leeway_s: u64,
    max_lifetime_s: Option<u64>,
}

/// Signed by the issuer. A claim of ours that stands twice is an error, since
/// readers differ in which one counts.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: OneOrMany,
    exp: u64,
    #[serde(default)]
    nbf: Option<u64>,
    #[serde(default)]
    iat: Option<u64>,
    #[serde(default)]
    scope: Option<OneOrMany>,
    /// What some issuers call it.
    #[serde(default)]
    scp: Option<OneOrMany>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    azp: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Rules {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Invalid> {
        Ok(Self {
            issuer: settings.issuer()?.to_owned(),
            audience: settings.audience.clone(),
            leeway_s: settings.leeway_s,
            max_lifetime_s: settings.max_lifetime_s,
        })
    }

    /// `now` in seconds since 1970.
    pub(crate) fn judge(&self, payload: &[u8], now: u64) -> Result<Identity, Rejected> {
        let claims: Claims = serde_json::from_slice(payload).map_err(|_| Rejected::Claims)?;
        if claims.iss != self.issuer {
            return Err(Rejected::Issuer);
        }
        if !claims.aud.contains(&self.audience) {
            return Err(Rejected::Audience);
        }
        self.judge_times(&claims, now)?;
        Ok(Identity {
            subject: subject(&claims.sub)?,
            scopes: claims.scopes()?,
            expires_at: UNIX_EPOCH + Duration::from_secs(claims.exp),
            client: client(claims.client_id.or(claims.azp))?,
        })
    }

    fn judge_times(&self, claims: &Claims, now: u64) -> Result<(), Rejected> {
        let times = [Some(claims.exp), claims.nbf, claims.iat];
        if times.into_iter().flatten().any(|time| time > TIME_MAX) {
            return Err(Rejected::Claims);
        }
        if claims.exp + self.leeway_s <= now {
            return Err(Rejected::Expired);
        }
        let soon = now + self.leeway_s;
        if claims.nbf.is_some_and(|nbf| nbf > soon) || claims.iat.is_some_and(|iat| iat > soon) {
            return Err(Rejected::NotYetValid);
        }
        let lifetime = claims.exp.saturating_sub(claims.iat.unwrap_or(now));
        match self.max_lifetime_s {
            Some(max) if lifetime > max => Err(Rejected::Lifetime),
            _ => Ok(()),
        }
    }
}

impl Claims {
    fn scopes(&self) -> Result<Arc<[String]>, Rejected> {
        let scopes: Vec<&str> = match self.scope.as_ref().or(self.scp.as_ref()) {
            None => Vec::new(),
            Some(OneOrMany::One(text)) if text.is_empty() => Vec::new(),
            Some(OneOrMany::One(text)) => text.split(' ').collect(),
            Some(OneOrMany::Many(list)) => list.iter().map(String::as_str).collect(),
        };
        if scopes.len() > SCOPES_MAX || !scopes.iter().all(|scope| is_scope(scope)) {
            return Err(Rejected::Scope);
        }
        let mut seen = BTreeSet::new();
        let once = scopes.into_iter().filter(|scope| seen.insert(*scope));
        Ok(once.map(str::to_owned).collect())
    }
}

impl OneOrMany {
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.len() <= AUDIENCES_MAX && many.iter().any(|one| one == wanted),
        }
    }
}

fn subject(text: &str) -> Result<Arc<str>, Rejected> {
    match is_name(text) {
        true => Ok(Arc::from(text)),
        false => Err(Rejected::Subject),
    }
}

fn client(text: Option<String>) -> Result<Option<Arc<str>>, Rejected> {
    match text {
        Some(text) if !is_name(&text) => Err(Rejected::Claims),
        text => Ok(text.map(Arc::from)),
    }
}

fn is_name(text: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
}
