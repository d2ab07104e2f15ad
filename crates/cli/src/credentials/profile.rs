//! A key that mints tokens, and for whom.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use auth::developer::{self, AUDIENCE, ISSUER, Key, Mint};
use serde::{Deserialize, Serialize};

use super::unreadable;
use crate::{failure::Failure, scopes};

/// The name under which the command line is known as a client.
const CLIENT: &str = "cartwright-cli";

/// What `cartwright login` saves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The private key; in the file relative to the file's own directory where
    /// it is below that.
    pub key: PathBuf,
    #[serde(default = "issuer")]
    pub issuer: String,
    #[serde(default = "audience")]
    pub audience: String,
    pub subject: String,
    /// All that staff holds, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

fn issuer() -> String {
    ISSUER.to_owned()
}

fn audience() -> String {
    AUDIENCE.to_owned()
}

impl Profile {
    /// Of the issuer of a laptop.
    pub fn local(key: PathBuf, subject: impl Into<String>) -> Self {
        Self {
            key,
            issuer: issuer(),
            audience: audience(),
            subject: subject.into(),
            scopes: None,
        }
    }

    pub(super) fn load(path: &Path) -> io::Result<Self> {
        let text = fs::read(path)?;
        let mut profile: Self = serde_json::from_slice(&text)?;
        profile.key = directory(path).join(&profile.key);
        Ok(profile)
    }

    /// # Errors
    /// When the key is not there or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let key = self.key.canonicalize();
        let key = key.map_err(|error| unreadable(&self.key, &error))?;
        fs::create_dir_all(directory(path)).map_err(|error| unreadable(path, &error))?;
        let below = directory(path).canonicalize();
        let below = below.map_err(|error| unreadable(path, &error))?;
        let saved = Self {
            key: key.strip_prefix(below).unwrap_or(&key).to_owned(),
            ..self.clone()
        };
        let text = serde_json::to_string_pretty(&saved);
        let text = text.map_err(|error| Failure::Internal(error.to_string()))?;
        let written = developer::replace(path, &format!("{text}\n"));
        written.map_err(|error| Failure::BadInput(error.to_string()))
    }

    /// # Errors
    /// When the contract cannot be read.
    pub fn scopes(&self) -> Result<Vec<String>, Failure> {
        match &self.scopes {
            Some(scopes) => Ok(scopes.clone()),
            None => scopes::of_staff(),
        }
    }

    /// # Errors
    /// When the key cannot be read.
    pub fn mint(&self, lifetime: Duration) -> Result<String, Failure> {
        let key = Key::load(&self.key).map_err(|error| {
            Failure::BadInput(format!("{error}; run `make up`, then `cartwright login`"))
        })?;
        Ok(key.mint(&Mint {
            issuer: &self.issuer,
            audience: &self.audience,
            subject: &self.subject,
            scopes: &self.scopes()?,
            client: Some(CLIENT),
            lifetime,
        }))
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
