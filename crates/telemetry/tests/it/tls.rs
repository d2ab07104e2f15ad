//! A collector behind TLS that wants to know who we are.

use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use telemetry::{LogFormat, Variables};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tracing::info_span;

use crate::{collector::Collector, install_with, settings};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
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
async fn a_collector_behind_tls_is_known_by_its_authority_and_knows_us() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = authority();
    let (certificate, key) = issue(&authority, ExtendedKeyUsagePurpose::ServerAuth);
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key))
        .client_ca_root(Certificate::from_pem(authority.pem()));
    let (collector, address) = Collector::start_with(tls).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = issue(&authority, ExtendedKeyUsagePurpose::ClientAuth);
    let port = address.rsplit(':').next().unwrap();
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("https://localhost:{port}"),
        ),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            file("ca.pem", &authority.pem()),
        ),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            file("own.pem", &certificate),
        ),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", file("own.key", &key)),
    ];
    let pairs: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let said = |pairs: &[(&str, &str)], name: &'static str| {
        let installed = install_with(&settings("info", LogFormat::Json), &Variables::of(pairs));
        info_span!("order", otel.name = name).in_scope(|| {});
        installed.guard
    };
    said(&pairs, "known").flush().await;
    assert_eq!(collector.span_names(), ["known"]);
    // Without our certificate, and without theirs.
    said(&pairs[..2], "stranger").flush().await;
    said(&pairs[..1], "lost").flush().await;
    assert_eq!(collector.span_names(), ["known"]);
}
