//! Health as a kubelet, a balancer and a person ask for it: over sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod grpc;
mod http;
mod probes;

use std::net::SocketAddr;

use health::Health;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Serves the endpoints on a free port until the test ends.
async fn serve(health: &Health) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(health::serve(listener, health::router(health.clone())));
    address
}

async fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn code(address: SocketAddr, path: &str) -> u16 {
    get(address, path).await.0
}
