//! `cartwright keys`: the issuer of a laptop.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use auth::developer::{self, AUDIENCE, ISSUER, Key, Mint};
use clap::{Args, Subcommand};

use crate::{
    failure::Failure,
    input::ServiceArg,
    output::{Format, Output},
    scopes,
};

const SERVICE_LIFETIME: Duration = Duration::from_secs(30 * 86_400);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key pair, the JWKS that services verify tokens by, and tokens
    /// for services. What is there stays; a token of a service is made anew
    /// when half of its 30 days are over.
    Init(Init),
}

#[derive(Debug, Args)]
pub struct Init {
    /// Where developer.pem, jwks.json and SERVICE.token go.
    directory: PathBuf,
    /// A service that needs a token; without scopes it gets those that other
    /// services open to it.
    #[arg(long, value_name = "NAME[=SCOPES]")]
    service: Vec<ServiceArg>,
    /// What the services have as `auth.issuer`.
    #[arg(long, default_value = ISSUER)]
    issuer: String,
    /// What the services have as `auth.audience`.
    #[arg(long, default_value = AUDIENCE)]
    audience: String,
}

pub fn run(command: &Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::Init(args) => args.run(output),
    }
}

impl Init {
    fn run(&self, output: Output) -> Result<(), Failure> {
        let key = Key::load_or_create(&self.directory.join("developer.pem")).map_err(wrong)?;
        let jwks = self.directory.join("jwks.json");
        if !key.publish(&jwks).map_err(wrong)? {
            check_published(&key, &jwks)?;
        }
        for service in &self.service {
            self.provide(&key, service)?;
        }
        match output.format {
            Format::Table => output.text(&format!(
                "The key is {} and its JWKS {}.",
                self.directory.join("developer.pem").display(),
                jwks.display()
            )),
            Format::Json => output.json(&serde_json::json!({
                "directory": self.directory,
                "kid": key.kid(),
            })),
        }
    }

    fn provide(&self, key: &Key, service: &ServiceArg) -> Result<(), Failure> {
        let path = self.directory.join(format!("{}.token", service.name));
        let scopes = match &service.scopes {
            Some(scopes) => scopes.0.clone(),
            None => scopes::of_service(&service.name)?,
        };
        let mint = Mint {
            issuer: &self.issuer,
            audience: &self.audience,
            subject: &format!("service:{}", service.name),
            scopes: &scopes,
            client: Some(&service.name),
            lifetime: SERVICE_LIFETIME,
        };
        let current = fs::read_to_string(&path)
            .is_ok_and(|token| key.is_current(&token, &mint, SERVICE_LIFETIME / 2));
        match current {
            true => Ok(()),
            false => developer::replace(&path, &key.mint(&mint)).map_err(wrong),
        }
    }
}

/// A JWKS of somebody else would turn away all that the key signs.
fn check_published(key: &Key, jwks: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(jwks).unwrap_or_default();
    match text.contains(&format!("\"{}\"", key.kid())) {
        true => Ok(()),
        false => Err(Failure::BadInput(format!(
            "{} does not list the key of developer.pem beside it; remove one of the two",
            jwks.display()
        ))),
    }
}

fn wrong(error: developer::Error) -> Failure {
    Failure::BadInput(error.to_string())
}
