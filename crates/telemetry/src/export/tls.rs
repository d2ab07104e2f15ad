//! Whom we trust to be the collector, and who we are.

use std::path::Path;

use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};

use super::{Signal, target::own_or_general};
use crate::variables::Variables;

/// All in PEM.
#[derive(Default)]
pub(super) struct Tls {
    /// `None`: what the machine trusts.
    authority: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// A file that is named and cannot be read is told, and left out.
    pub(super) fn read(signal: Signal, variables: &Variables) -> Self {
        let file = |rest: &str| {
            own_or_general(signal, rest, |name| {
                let path = variables.text(name)?;
                let content = std::fs::read(Path::new(&path)).ok();
                if content.is_none() {
                    variables.refuse(name, &path, "no file: it cannot be read");
                }
                content
            })
        };
        let certificate = file("CLIENT_CERTIFICATE");
        let key = file("CLIENT_KEY");
        Self {
            authority: file("CERTIFICATE"),
            identity: certificate.zip(key),
        }
    }

    pub(super) fn for_grpc(&self) -> ClientTlsConfig {
        let mut config = ClientTlsConfig::new();
        config = match &self.authority {
            Some(pem) => config.ca_certificate(Certificate::from_pem(pem)),
            None => config.with_native_roots(),
        };
        match &self.identity {
            Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
            None => config,
        }
    }

    pub(super) fn for_http(
        &self,
        mut client: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        if let Some(pem) = &self.authority {
            client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        if let Some((certificate, key)) = &self.identity {
            let pem = [key.as_slice(), b"\n", certificate].concat();
            client = client.identity(reqwest::Identity::from_pem(&pem)?);
        }
        Ok(client)
    }
}
