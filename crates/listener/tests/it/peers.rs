//! TLS, and who a certificate says that somebody is.

use std::time::Duration;

use listener::{Limits, tls};
use tokio::io::AsyncReadExt;

use crate::{
    authority::{Authority, Folder, Issued, connect},
    clients::{ask, closed, get, h2},
    served::{SOON, Served, serve_with},
};

struct World {
    ca: Authority,
    served: Served,
    _folder: Folder,
}

async fn world() -> World {
    let ca = Authority::new();
    let folder = Folder::new(&ca.issue(&["shop"]), &ca);
    let files = tls::Files::start(&folder.tls()).unwrap();
    let limits = Limits {
        handshake_timeout_ms: 300,
        ..Limits::default()
    };
    let served = serve_with(&limits, Some(&files), SOON).await;
    World {
        ca,
        served,
        _folder: folder,
    }
}

impl World {
    /// What the service knows of a client, over both protocols.
    async fn peer(&self, own: Option<&Issued>) -> String {
        let (address, client) = (self.served.address, self.ca.client(own));
        let mut one = connect(address, "shop", client.clone(), "http/1.1")
            .await
            .unwrap();
        let seen = ask(&mut one, "/peer").await.1;
        let two = connect(address, "shop", client, "h2").await.unwrap();
        let (two, _) = h2(two).await;
        assert_eq!(get(&two, "/peer").await.unwrap().1, seen);
        seen
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_anonymous() {
    let world = world().await;
    assert_eq!(world.peer(None).await, "127.0.0.1 ");
}

#[tokio::test]
async fn a_verified_client_has_the_names_of_its_certificate() {
    let world = world().await;
    let own = world
        .ca
        .issue(&["Order-Service", "order.shop.svc", "spiffe://shop/order"]);
    assert_eq!(
        world.peer(Some(&own)).await,
        "127.0.0.1 order-service,order.shop.svc,spiffe://shop/order"
    );
}

#[tokio::test]
async fn a_certificate_of_another_ca_gets_nowhere() {
    let world = world().await;
    let stranger = Authority::new().issue(&["order-service"]);
    let client = world.ca.client(Some(&stranger));
    // With TLS 1.3 the client hears of it when it reads.
    if let Ok(mut stream) = connect(world.served.address, "shop", client, "http/1.1").await {
        stream.read_u8().await.unwrap_err();
    }
    assert_eq!(world.peer(None).await, "127.0.0.1 ");
}

#[tokio::test]
async fn a_name_is_not_shown_by_a_session_of_before() {
    let world = world().await;
    let own = world.ca.issue(&["order-service"]);
    let client = world.ca.client(Some(&own));
    for _ in 0..3 {
        let connected = connect(world.served.address, "shop", client.clone(), "http/1.1");
        let mut stream = connected.await.unwrap();
        assert_eq!(ask(&mut stream, "/peer").await.1, "127.0.0.1 order-service");
        let kind = stream.get_ref().1.handshake_kind();
        assert_ne!(kind, Some(rustls::HandshakeKind::Resumed));
    }
}

#[tokio::test]
async fn handshakes_that_never_end_hold_up_nobody() {
    let world = world().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(crate::clients::connect(world.served.address).await);
    }
    assert_eq!(world.peer(None).await, "127.0.0.1 ");
    for mut stream in silent {
        let (took, _) = closed(&mut stream).await;
        assert!(took < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn what_is_no_tls_is_closed() {
    let world = world().await;
    let mut plain = crate::clients::connect(world.served.address).await;
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let (_, said) = closed(&mut plain).await;
    assert!(!said.starts_with(b"HTTP"));
}
