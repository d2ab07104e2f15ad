//! A CA, what it issues, and clients that believe it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use listener::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Names with a colon are URIs.
    pub fn issue(&self, names: &[&str]) -> Issued {
        let (uris, hosts): (Vec<&str>, Vec<&str>) = names.iter().partition(|n| n.contains(':'));
        let hosts: Vec<String> = hosts.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        for uri in uris {
            let san = SanType::URI(uri.try_into().unwrap());
            params.subject_alt_names.push(san);
        }
        let key = KeyPair::generate().unwrap();
        Issued {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that believes this CA, and shows `own`.
    pub fn client(&self, own: Option<&Issued>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        }
    }
}

/// A folder with `tls.crt`, `tls.key` and `ca.crt`.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(issued: &Issued, ca: &Authority) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        write(folder.path(), issued, ca);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn tls(&self) -> Tls {
        tls(self.path())
    }
}

pub fn write(folder: &Path, issued: &Issued, ca: &Authority) {
    fs::write(folder.join("tls.crt"), &issued.certificate).unwrap();
    fs::write(folder.join("tls.key"), &issued.key).unwrap();
    fs::write(folder.join("ca.crt"), ca.pem()).unwrap();
}

/// Read again often.
pub fn tls(folder: &Path) -> Tls {
    let file = |name: &str| -> PathBuf { folder.join(name) };
    Tls {
        reload_ms: 20,
        ..Tls::of(file("tls.crt"), file("tls.key"), Some(file("ca.crt")))
    }
}

pub async fn connect(
    address: SocketAddr,
    name: &str,
    mut client: ClientConfig,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = name.to_owned().try_into().unwrap();
    let stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await?;
    assert_eq!(
        stream.get_ref().1.alpn_protocol(),
        Some(protocol.as_bytes())
    );
    Ok(stream)
}
