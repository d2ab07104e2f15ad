//! Who the client says it is: a token that was given, or a profile that mints
//! one.

mod place;
mod profile;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;

pub use place::Places;
pub(crate) use place::local_key;
pub use profile::Profile;

use crate::failure::Failure;

/// For scripts and machines.
const TOKEN_VARIABLE: &str = "CARTWRIGHT_TOKEN";
/// Longer than any call, shorter than anybody could make much of a leak.
const LIFETIME: Duration = Duration::from_secs(600);
/// Long commands outlive their token.
const RENEWAL: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub enum Credentials {
    /// Calls are sent without a token.
    Absent,
    Given(SecretString),
    File(PathBuf),
    Profile(Box<Profile>),
}

impl Credentials {
    /// The first of: `--token-file`, `CARTWRIGHT_TOKEN`, a saved profile.
    ///
    /// # Errors
    /// When a profile is there and cannot be read.
    pub fn find(token_file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = token_file {
            return Ok(Self::File(path.to_owned()));
        }
        match std::env::var(TOKEN_VARIABLE) {
            Ok(token) if !token.trim().is_empty() => return Ok(Self::Given(token.into())),
            _ => {}
        }
        let profile = Places::of_process().find()?;
        Ok(profile.map_or(Self::Absent, |profile| Self::Profile(Box::new(profile))))
    }

    /// What calls show, kept fresh for as long as the process runs. Must run
    /// inside of tokio.
    ///
    /// # Errors
    /// When there is no token where one should be, or no header can carry it.
    pub fn show(self) -> Result<rpc::Token, Failure> {
        let token = rpc::Token::default();
        self.refresh(&token)?;
        if matches!(self, Self::File(_) | Self::Profile(_)) {
            let renewed = token.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(RENEWAL).await;
                    // The old one may still be good; its end is told by the shop.
                    let _ = self.refresh(&renewed);
                }
            });
        }
        Ok(token)
    }

    fn refresh(&self, shown: &rpc::Token) -> Result<(), Failure> {
        let token = self.token()?;
        let set = shown.set(token.as_ref());
        set.map_err(|error| Failure::BadInput(error.to_string()))
    }

    fn token(&self) -> Result<Option<SecretString>, Failure> {
        match self {
            Self::Absent => Ok(None),
            Self::Given(token) => Ok(Some(token.clone())),
            Self::File(path) => match fs::read_to_string(path) {
                Ok(token) => Ok(Some(token.into())),
                Err(error) => Err(unreadable(path, &error)),
            },
            Self::Profile(profile) => Ok(Some(profile.mint(LIFETIME)?.into())),
        }
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::BadInput(format!("{}: {error}", path.display()))
}
