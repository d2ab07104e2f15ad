//! `cartwright login`

use std::path::PathBuf;

use auth::developer::Key;
use clap::Args;

use crate::{
    credentials::{Places, Profile, local_key},
    failure::Failure,
    input,
    output::{Format, Output},
};

pub(super) const SUBJECT: &str = "local-staff";

/// What tokens say beside whom they are for.
#[derive(Debug, Clone, Args)]
pub struct Issuance {
    /// The private key that signs [default: .run/keys/developer.pem, which
    /// `make up` makes].
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Scopes separated by spaces, such as "orders:read orders:write".
    #[arg(long, value_parser = input::scopes)]
    pub scope: Option<input::Scopes>,
    /// What the services have as `auth.issuer` [default: cartwright-local].
    #[arg(long)]
    pub issuer: Option<String>,
    /// What the services have as `auth.audience` [default: cartwright].
    #[arg(long)]
    pub audience: Option<String>,
}

#[derive(Debug, Args)]
pub struct Login {
    /// Who to be.
    #[arg(long, default_value = SUBJECT, value_name = "NAME", value_parser = input::subject)]
    subject: String,
    #[command(flatten)]
    issuance: Issuance,
}

impl Issuance {
    /// Somebody of a laptop, with its key or the one that is named.
    pub(super) fn local(&self, subject: &str) -> Result<Profile, Failure> {
        let key = self.key.clone().or_else(local_key).ok_or_else(|| {
            let message = "no key to sign with: run `make up` here first, or name one by --key";
            Failure::BadInput(message.to_owned())
        })?;
        Ok(Profile::local(key, subject))
    }

    /// `profile`, but for what is said here.
    pub(super) fn of(&self, profile: Profile) -> Profile {
        Profile {
            key: self.key.clone().unwrap_or(profile.key),
            issuer: self.issuer.clone().unwrap_or(profile.issuer),
            audience: self.audience.clone().unwrap_or(profile.audience),
            subject: profile.subject,
            scopes: match &self.scope {
                Some(scopes) => Some(scopes.0.clone()),
                None => profile.scopes,
            },
        }
    }
}

pub fn run(args: &Login, output: Output) -> Result<(), Failure> {
    let profile = args.issuance.of(args.issuance.local(&args.subject)?);
    Key::load(&profile.key).map_err(|error| Failure::BadInput(error.to_string()))?;
    let places = Places::of_process();
    let path = places.to_save()?;
    profile.save(path)?;
    let scopes = profile.scopes()?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "subject": profile.subject,
            "scopes": scopes,
            "file": path,
        })),
        Format::Table => output.text(&format!(
            "You are {} from now on, with {}.\nSaved in {}.",
            profile.subject,
            scopes.join(" "),
            path.display()
        )),
    }
}
