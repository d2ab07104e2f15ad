//! `grpc.health.v1` over a real server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use health::Health;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::{StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Code,
    transport::{Channel, Endpoint, Server},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

const ORDERS: &str = "cartwright.order.v1.OrderService";

async fn serve(health: &Health) -> (HealthClient<Channel>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = health.grpc_service(&[ORDERS]);
    let health = health.clone();
    let server = tokio::spawn(async move {
        let stop = async move {
            while !health.is_draining() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let incoming = TcpListenerStream::new(listener);
        let server = Server::builder().add_service(service);
        server
            .serve_with_incoming_shutdown(incoming, stop)
            .await
            .unwrap();
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let client = HealthClient::new(endpoint.connect().await.unwrap());
    (client, server)
}

fn request(service: &str) -> HealthCheckRequest {
    let service = service.to_owned();
    HealthCheckRequest { service }
}

#[tokio::test]
async fn a_check_follows_the_latches_for_the_service_and_for_the_server() {
    let health = Health::new();
    let latch = health.latch("schema");
    let (mut client, _server) = serve(&health).await;
    let mut status = async |service| {
        let response = client.check(request(service)).await.unwrap();
        response.into_inner().status()
    };
    assert_eq!(status(ORDERS).await, ServingStatus::NotServing);
    assert_eq!(status("").await, ServingStatus::NotServing);
    latch.release();
    assert_eq!(status(ORDERS).await, ServingStatus::Serving);
    assert_eq!(status("").await, ServingStatus::Serving);
}

#[tokio::test]
async fn a_service_that_is_not_here_is_not_found() {
    let health = Health::new();
    let (mut client, _server) = serve(&health).await;
    let error = client.check(request("other.Service")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let mut watch = client
        .watch(request("other.Service"))
        .await
        .unwrap()
        .into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
}

#[tokio::test]
async fn a_watcher_sees_each_change_at_once_and_does_not_hold_up_the_end() {
    let health = Health::new();
    let latch = health.latch("schema");
    let (mut client, server) = serve(&health).await;
    let mut watch = client.watch(request(ORDERS)).await.unwrap().into_inner();
    let mut next = async || {
        let next = tokio::time::timeout(Duration::from_millis(500), watch.next()).await;
        next.expect("in time")
            .map(|message| message.unwrap().status())
    };
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    latch.release();
    assert_eq!(next().await, Some(ServingStatus::Serving));
    health.drain();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert!(!server.is_finished());
    health.close();
    assert_eq!(next().await, None);
    let ended = tokio::time::timeout(Duration::from_secs(2), server).await;
    ended.expect("the server waits for no watcher").unwrap();
}

#[tokio::test]
async fn a_watcher_sees_a_probe_fail_without_being_told() {
    let health = Health::new();
    let gone = Arc::new(AtomicBool::new(false));
    let answer = gone.clone();
    health.probe("postgres", move || {
        let gone = answer.load(Ordering::SeqCst);
        async move { if gone { Err("gone") } else { Ok(()) } }
    });
    let (mut client, _server) = serve(&health).await;
    let mut watch = client.watch(request("")).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    gone.store(true, Ordering::SeqCst);
    let second = tokio::time::timeout(Duration::from_secs(3), watch.message()).await;
    let second = second.unwrap().unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
}
