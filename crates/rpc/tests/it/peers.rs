//! Peers over TLS: each side proves who it is.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::order::v1::GetOrderRequest;
use http::Request;
use listener::{Limits, Peer, Tls, tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rpc::{Channel, PeerSettings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, service::Routes};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::ServiceExt;

const TIMEOUT: Duration = Duration::from_secs(5);

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn folder(&self, name: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path(), name);
        folder
    }

    fn write(&self, folder: &Path, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
        fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
        fs::write(folder.join("ca.crt"), self.0.pem()).unwrap();
    }
}

fn files(folder: &TempDir) -> tls::Files {
    let file = |name: &str| folder.path().join(name);
    let settings = Tls {
        reload_ms: 20,
        ..Tls::of(file("tls.crt"), file("tls.key"), Some(file("ca.crt")))
    };
    tls::Files::start(&settings).unwrap()
}

/// A gRPC server that remembers who called last.
struct Server {
    address: SocketAddr,
    callers: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(files: &tls::Files) -> Self {
        let limits = Limits {
            max_connection_age_s: 1,
            ..Limits::default()
        };
        let any = "127.0.0.1:0".parse().unwrap();
        let bound = listener::bind(any, &limits, Some(files)).await.unwrap();
        let address = bound.local_addr();
        let callers: Arc<Mutex<Vec<String>>> = Arc::default();
        let (_, health) = tonic_health::server::health_reporter();
        let (routes, seen) = (Routes::new(health).prepare(), callers.clone());
        let service = tower::service_fn(move |request: Request<listener::Body>| {
            let peer = request.extensions().get::<Peer>().unwrap();
            *seen.lock().unwrap() = peer.names.to_vec();
            routes.clone().oneshot(request)
        });
        tokio::spawn(bound.serve(service, CancellationToken::new(), TIMEOUT));
        Self { address, callers }
    }

    fn settings(&self, name: Option<&str>) -> PeerSettings {
        PeerSettings {
            server_name: name.map(str::to_owned),
            ..PeerSettings::at(format!("https://{}", self.address))
        }
    }
}

async fn check(channel: &Channel) -> Result<(), Status> {
    let client = HealthClient::new(channel.clone());
    // Only messages of the contract are sent; this one is sent as another.
    let call = rpc::call(GetOrderRequest::default(), None, TIMEOUT, |request| {
        let mut client = client.clone();
        let question = request.map(|_| HealthCheckRequest::default());
        async move { client.check(question).await }
    });
    call.await.map(drop)
}

#[tokio::test]
async fn a_peer_over_tls_knows_who_calls() {
    let ca = Authority::new();
    let (shop, order) = (ca.folder("payment-service"), ca.folder("order-service"));
    let server = Server::start(&files(&shop)).await;
    let tls = files(&order).connector().unwrap();
    let settings = server.settings(Some("payment-service"));
    let channel = rpc::connect(&settings, Some(&tls)).unwrap();
    check(&channel).await.unwrap();
    assert_eq!(*server.callers.lock().unwrap(), ["order-service"]);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let ca = Authority::new();
    let (shop, order) = (ca.folder("payment-service"), ca.folder("order-service"));
    let server = Server::start(&files(&shop)).await;
    let tls = files(&order).connector().unwrap();
    let settings = server.settings(Some("payment-service"));
    let channel = rpc::connect(&settings, Some(&tls)).unwrap();
    check(&channel).await.unwrap();
    ca.write(order.path(), "order-service-2");
    // Connections get a second old.
    let seen = async {
        while *server.callers.lock().unwrap() != ["order-service-2"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
            check(&channel).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_without_a_certificate_is_served_as_nobody() {
    let ca = Authority::new();
    let shop = ca.folder("payment-service");
    let server = Server::start(&files(&shop)).await;
    let tls = tls::Connector::trusting(&shop.path().join("ca.crt")).unwrap();
    let settings = server.settings(Some("payment-service"));
    let channel = rpc::connect(&settings, Some(&tls)).unwrap();
    check(&channel).await.unwrap();
    assert!(server.callers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_not_the_peer_is_not_called() {
    let (ca, other) = (Authority::new(), Authority::new());
    let (shop, order) = (ca.folder("payment-service"), other.folder("order-service"));
    let server = Server::start(&files(&shop)).await;
    let strange = files(&order).connector().unwrap();
    let known = files(&shop).connector().unwrap();
    for (tls, name) in [
        (&strange, Some("payment-service")),
        (&known, Some("inventory-service")),
        (&known, None),
    ] {
        let channel = rpc::connect(&server.settings(name), Some(tls)).unwrap();
        let refused = check(&channel).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    }
    assert!(server.callers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_address_that_is_none_is_named() {
    let refused = |url: &str| rpc::connect(&PeerSettings::at(url), None).unwrap_err();
    assert_eq!(
        refused("https://payment:50052").to_string(),
        "https://payment:50052 is not an address of a peer: expected the section `tls` for https://"
    );
    for url in ["payment:50052", "/somewhere", "ftp://payment", "http://"] {
        let error = refused(url).to_string();
        assert!(error.contains("is not an address of a peer"), "{error}");
    }
    let ca = Authority::new().folder("x");
    let tls = files(&ca).connector().unwrap();
    let settings = PeerSettings {
        server_name: Some("no name".to_owned()),
        ..PeerSettings::at("https://payment:50052")
    };
    let error = rpc::connect(&settings, Some(&tls)).unwrap_err().to_string();
    assert!(
        error.contains("server_name: expected a DNS name"),
        "{error}"
    );
}
