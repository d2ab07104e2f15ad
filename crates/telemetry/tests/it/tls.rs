//! A collector behind TLS that wants to know who we are.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use telemetry::{LogFormat, Variables};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tracing::info_span;

use crate::{collector::Collector, http_collector, install_with, settings};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Who trusts whom, all in PEM.
struct World {
    authority: Authority,
    certificate: String,
    key: String,
    files: TempDir,
}

impl World {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let (certificate, key) = issue(&authority, ExtendedKeyUsagePurpose::ServerAuth);
        Self {
            authority,
            certificate,
            key,
            files: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// One who knows both sides, one without a certificate, one who does not
    /// trust the collector: only the first is heard.
    async fn check(&self, collector: &Collector, address: &str, protocol: &str) {
        let (certificate, key) = issue(&self.authority, ExtendedKeyUsagePurpose::ClientAuth);
        let port = address.rsplit(':').next().unwrap();
        let name = |rest: &str| format!("OTEL_EXPORTER_OTLP_{rest}");
        let variables = [
            (name("ENDPOINT"), format!("https://localhost:{port}")),
            (name("PROTOCOL"), protocol.to_owned()),
            (
                name("CERTIFICATE"),
                self.file("ca.pem", &self.authority.pem()),
            ),
            (
                name("CLIENT_CERTIFICATE"),
                self.file("own.pem", &certificate),
            ),
            (name("CLIENT_KEY"), self.file("own.key", &key)),
        ];
        let pairs = variables.iter();
        let pairs: Vec<(&str, &str)> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        for (known, name) in [(5, "friend"), (3, "stranger"), (2, "doubter")] {
            let variables = Variables::of(&pairs[..known]);
            let installed = install_with(&settings("info", LogFormat::Json), &variables);
            info_span!("order", otel.name = name).in_scope(|| {});
            installed.guard.flush().await;
        }
        assert_eq!(collector.span_names(), ["friend"]);
    }
}

/// Certificate and key.
fn issue(authority: &Authority, usage: ExtendedKeyUsagePurpose) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_grpc_both_sides_prove_who_they_are() {
    let world = World::new();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(&world.certificate, &world.key))
        .client_ca_root(Certificate::from_pem(world.authority.pem()));
    let (collector, address) = Collector::start_with(tls).await;
    world.check(&collector, &address, "grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_both_sides_prove_who_they_are() {
    let world = World::new();
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der(&world.authority.pem())).unwrap();
    let clients = WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(world.key.as_bytes()).unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![der(&world.certificate)], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let (collector, address) = http_collector::start_with(tls).await;
    world.check(&collector, &address, "http/protobuf").await;
}
