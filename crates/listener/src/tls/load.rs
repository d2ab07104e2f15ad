//! From files to what rustls needs.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::WantsClientCert,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::{TLS12, TLS13},
};
use sha2::{Digest, Sha256};

use super::{Error, Tls};

/// What the files hold, as it was read.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    ca: Option<Vec<u8>>,
}

/// What the files mean.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) server: Arc<ServerConfig>,
    /// Absent without a CA.
    pub(super) client: Option<Arc<ClientConfig>>,
    pub(super) digest: [u8; 32],
}

impl Contents {
    pub(super) fn read(tls: &Tls) -> Result<Self, Error> {
        Ok(Self {
            certificate: read("certificate", &tls.certificate)?,
            key: read("key", &tls.key)?,
            ca: tls.ca.as_deref().map(|ca| read("ca", ca)).transpose()?,
        })
    }

    /// Tells contents apart without keeping the key.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let ca = self.ca.as_deref().unwrap_or_default();
        for part in [&self.certificate, &self.key, ca] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    pub(super) fn load(&self, tls: &Tls) -> Result<Loaded, Error> {
        let chain = certificates("certificate", &tls.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| file("key", &tls.key, "holds no private key in PEM"))?;
        let ca = match (&tls.ca, &self.ca) {
            (Some(path), Some(pem)) => Some(authority(path, pem)?),
            _ => None,
        };
        let client = ca.as_ref().map(|ca| {
            let config = client_builder(ca.clone())?
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| mismatch(tls, &error))?;
            Ok(finished_client(config))
        });
        Ok(Loaded {
            server: server(tls, chain, key, ca)?,
            client: client.transpose()?,
            digest: self.digest(),
        })
    }
}

/// For a client without a certificate of its own.
pub(super) fn client_of(ca: &Path) -> Result<Arc<ClientConfig>, Error> {
    let roots = authority(ca, &read("ca", ca)?)?;
    Ok(finished_client(
        client_builder(roots)?.with_no_client_auth(),
    ))
}

fn server(
    tls: &Tls,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    ca: Option<Arc<RootCertStore>>,
) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| mismatch(tls, &error))?;
    let asks_clients = ca.is_some();
    let builder = match ca {
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
                .allow_unauthenticated()
                .build()
                .map_err(|error| file("ca", tls.ca.as_deref().unwrap_or(Path::new("")), error))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| mismatch(tls, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if asks_clients {
        // A resumed session would carry a client's name past the end of its
        // certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn client_builder(
    roots: Arc<RootCertStore>,
) -> Result<rustls::ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| Error::NoAuthority)?;
    Ok(builder.with_root_certificates(roots))
}

fn finished_client(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn authority(path: &Path, pem: &[u8]) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", path, pem)? {
        roots
            .add(certificate)
            .map_err(|error| file("ca", path, error))?;
    }
    Ok(Arc::new(roots))
}

fn certificates(
    key: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(file(key, path, "holds no certificate in PEM")),
        Err(error) => Err(file(key, path, error)),
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| file(key, path, error))
}

/// rustls looks at the key and at the certificate together.
fn mismatch(tls: &Tls, error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            let problem = format!("is not the key of {}", tls.certificate.display());
            file("key", &tls.key, problem)
        }
        rustls::Error::General(_) => file("key", &tls.key, error),
        error => file("certificate", &tls.certificate, error),
    }
}

fn file(key: &'static str, path: &Path, problem: impl ToString) -> Error {
    Error::File {
        key,
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}
