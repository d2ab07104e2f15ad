//! `cartwright token`

use std::time::Duration;

use clap::Args;

use super::login::{Issuance, SUBJECT};
use crate::{
    credentials::{Places, Profile},
    failure::Failure,
    input,
    output::{Format, Output},
    scopes,
};

#[derive(Debug, Args)]
pub struct Token {
    /// Who to be: a customer of that name, unless --scope says more [default:
    /// whom `cartwright login` saved, with the scopes from there].
    #[arg(long, value_name = "NAME", value_parser = input::subject)]
    subject: Option<String>,
    /// How long it is good, such as 90s or 15m; at most 60m.
    #[arg(long, default_value = "15m", value_name = "TIME", value_parser = lifetime)]
    ttl: Duration,
    #[command(flatten)]
    issuance: Issuance,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let time = input::duration(text)?;
    match time.as_secs() {
        0 => Err("must be at least 1s".to_owned()),
        _ => Ok(time),
    }
}

impl Token {
    fn profile(&self) -> Result<Profile, Failure> {
        let saved = match Places::of_process().find()? {
            Some(profile) => profile,
            None => self.issuance.local(SUBJECT)?,
        };
        let profile = match &self.subject {
            None => saved,
            Some(subject) => Profile {
                subject: subject.clone(),
                scopes: Some(scopes::of_a_customer()?),
                ..saved
            },
        };
        Ok(self.issuance.of(profile))
    }
}

pub fn run(args: &Token, output: Output) -> Result<(), Failure> {
    let profile = args.profile()?;
    let token = profile.mint(args.ttl)?;
    match output.format {
        Format::Table => output.text(&token),
        Format::Json => output.json(&serde_json::json!({
            "token": token,
            "subject": profile.subject,
            "scopes": profile.scopes()?,
            "expires_in_s": args.ttl.as_secs(),
        })),
    }
}
