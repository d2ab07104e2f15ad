//! Where profiles are kept.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Profile, unreadable};
use crate::failure::Failure;

const VARIABLE: &str = "CARTWRIGHT_CREDENTIALS";
/// What `make up` makes, below the checkout.
const LOCAL: &str = ".run/credentials.json";
const LOCAL_KEY: &str = ".run/keys/developer.pem";

/// The files that are looked for, in this order.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `$CARTWRIGHT_CREDENTIALS`: if it is set, only this one.
    pub named: Option<PathBuf>,
    /// The checkout that one stands in.
    pub local: Option<PathBuf>,
    /// The user's own.
    pub user: Option<PathBuf>,
}

impl Places {
    pub fn of_process() -> Self {
        let variable = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let config = variable("XDG_CONFIG_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".config")));
        Self {
            named: variable(VARIABLE),
            local: Some(PathBuf::from(LOCAL)),
            user: config.map(|config| config.join("cartwright/credentials.json")),
        }
    }

    /// # Errors
    /// When a file is there and is no profile, or the named one is not there.
    pub fn find(&self) -> Result<Option<Profile>, Failure> {
        if let Some(named) = &self.named {
            let profile = Profile::load(named);
            return profile.map(Some).map_err(|error| unreadable(named, &error));
        }
        for path in [&self.local, &self.user].into_iter().flatten() {
            match Profile::load(path) {
                Ok(profile) => return Ok(Some(profile)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(path, &error)),
            }
        }
        Ok(None)
    }

    /// Where a new profile goes: where it will be found first. Inside of a
    /// checkout whose shop was started that is beside the shop's data.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn to_save(&self) -> Result<&Path, Failure> {
        let local = self.local.as_deref();
        let used = |path: &&Path| path.exists() || Path::new(LOCAL_KEY).exists();
        let place = self.named.as_deref().or(local.filter(used));
        place.or(self.user.as_deref()).ok_or_else(|| {
            let message = format!("no place to save it: set {VARIABLE} to the name of a file");
            Failure::BadInput(message)
        })
    }
}

/// The key of `make up`, if one stands in its checkout.
pub(crate) fn local_key() -> Option<PathBuf> {
    let path = PathBuf::from(LOCAL_KEY);
    path.exists().then_some(path)
}
