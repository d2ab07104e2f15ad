//! The settings of each process, on top of its file for laptops.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::Issuer;

use super::links::{Links, replica};
use super::ports::{Ports, local};
use super::{INVENTORY, ORDER, PAYMENT, simulator, stores};

const API_KEY: &str = "sk_test_chaos";
const WEBHOOK_SECRET: &str = "whsec_chaos";

pub(super) struct Env<'a> {
    pub ports: &'a Ports,
    pub links: &'a Links,
    pub issuer: &'a Issuer,
    pub directory: &'a Path,
    pub extra: &'a BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Env<'_> {
    /// Where clients find a service: all its replicas.
    pub(super) fn clients_of(&self, service: &str) -> String {
        self.urls("clients", service)
    }

    fn urls(&self, from: &str, service: &str) -> String {
        let replicas = 0..self.ports.services[service].len();
        let addresses = replicas.map(|index| self.links.address(from, &replica(service, index)));
        let urls = addresses.map(|address| format!("http://{address}"));
        urls.collect::<Vec<_>>().join(",")
    }

    pub(super) fn service(&self, service: &'static str, index: usize) -> BTreeMap<String, String> {
        let name = replica(service, index);
        let listens = self.ports.services[service][index];
        let postgres = self.links.address(&name, "postgres");
        let database = stores::database_of(service);
        let redis = self.links.address(&name, "redis");
        let jwks = self.issuer.jwks().display().to_string();
        let mut env = vec![
            ("SERVER__LISTEN", local(listens.grpc).to_string()),
            ("SERVER__PAGE_TOKEN_SECRET", "of this shop".to_owned()),
            ("HTTP__LISTEN", local(listens.http).to_string()),
            ("PRIVATE_LISTEN", local(listens.private).to_string()),
            (
                "DATABASE__URL",
                format!("postgres://postgres@{postgres}/{database}"),
            ),
            ("REDIS__URL", format!("redis://{redis}")),
            ("AUTH__JWKS_URL", format!("file://{jwks}")),
        ];
        if service == ORDER {
            let token = self.issuer.service_token().display().to_string();
            env.extend([
                ("INVENTORY__URL", self.urls(&name, INVENTORY)),
                ("INVENTORY__TOKEN_FILE", token.clone()),
                ("PAYMENT__URL", self.urls(&name, PAYMENT)),
                ("PAYMENT__TOKEN_FILE", token),
            ]);
        }
        if service == PAYMENT {
            let provider = self.links.address(&name, "simulator");
            env.extend([
                ("PROVIDER__BASE_URL", format!("http://{provider}")),
                ("PROVIDER__API_KEY", API_KEY.to_owned()),
                ("PROVIDER__WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
            ]);
        }
        self.finish(service, env)
    }

    pub(super) fn simulator(&self) -> BTreeMap<String, String> {
        let books = self.directory.join("books").display().to_string();
        let webhooks = self.links.address("webhooks", PAYMENT);
        let env = vec![
            ("API__LISTEN", local(self.ports.simulator).to_string()),
            (
                "PRIVATE_LISTEN",
                local(self.ports.simulator_private).to_string(),
            ),
            ("API__API_KEY", API_KEY.to_owned()),
            ("BOOKS__DIRECTORY", books),
            (
                "WEBHOOKS__URL",
                format!("http://{webhooks}/webhooks/stripe"),
            ),
            ("WEBHOOKS__SECRET", WEBHOOK_SECRET.to_owned()),
        ];
        self.finish(simulator::NAME, env)
    }

    fn finish(&self, name: &str, env: Vec<(&str, String)>) -> BTreeMap<String, String> {
        let own = env.into_iter();
        let own = own.map(|(key, value)| (format!("CARTWRIGHT__{key}"), value));
        let json = ("CARTWRIGHT__LOG__FORMAT".to_owned(), "json".to_owned());
        // On a laptop all goes to the trace store of `make up`.
        let silent = ["TRACES", "METRICS", "LOGS"]
            .map(|signal| (format!("OTEL_{signal}_EXPORTER"), "none".to_owned()));
        let extra = self.extra.get(name).cloned().unwrap_or_default();
        own.chain([json]).chain(silent).chain(extra).collect()
    }
}

/// What the simulator's client shows.
pub(super) fn api_key() -> &'static str {
    API_KEY
}
