//! Who issues the tokens of a shop.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use api::contract;
use auth::developer::{AUDIENCE, ISSUER, Key, Mint};

use crate::SERVICES;

const LIFETIME: Duration = Duration::from_secs(3600);

/// Allows what no method alone asks for: to name the price of a line.
const PRICE: &str = "orders:price";

/// A key of one shop, whose public half its services believe.
pub struct Issuer {
    pub key: Key,
    directory: PathBuf,
}

impl Issuer {
    /// Below `directory`, together with the token of the one service that
    /// calls others.
    pub fn new(directory: &Path) -> Self {
        let key = Key::generate().expect("a key");
        let this = Self {
            key,
            directory: directory.to_owned(),
        };
        std::fs::write(this.jwks(), this.key.jwks()).expect("a file in the shop's directory");
        let methods = contract::methods(&SERVICES).expect("the contract");
        let open = methods
            .iter()
            .filter(|method| method.peers.iter().any(|peer| peer == "order-service"));
        let scopes = open.map(|method| method.scope.as_str());
        let scopes: BTreeSet<&str> = scopes.chain([rpc::ANY_CUSTOMER]).collect();
        let token = this.token("service:order-service", scopes);
        std::fs::write(this.service_token(), token).expect("a file in the shop's directory");
        this
    }

    pub fn jwks(&self) -> PathBuf {
        self.directory.join("jwks.json")
    }

    pub fn service_token(&self) -> PathBuf {
        self.directory.join("order-service.token")
    }

    /// Of somebody with these scopes.
    pub fn token<'a>(&self, subject: &str, scopes: impl IntoIterator<Item = &'a str>) -> String {
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        self.mint(&Mint {
            issuer: ISSUER,
            audience: AUDIENCE,
            subject,
            scopes: &scopes,
            client: None,
            lifetime: LIFETIME,
        })
    }

    pub fn mint(&self, mint: &Mint<'_>) -> String {
        self.key.mint(mint)
    }

    /// All scopes that there are.
    pub fn scopes(&self) -> BTreeSet<String> {
        let methods = contract::methods(&SERVICES).expect("the contract");
        let scopes = methods.into_iter().map(|method| method.scope);
        let more = [PRICE, rpc::ANY_CUSTOMER].map(str::to_owned);
        scopes.chain(more).collect()
    }

    /// Of somebody who may do everything.
    pub fn staff(&self) -> String {
        self.token("staff", self.scopes().iter().map(String::as_str))
    }
}
