//! How many connections, and how large a head.

use std::net::SocketAddr;

use http::{Request, StatusCode};
use listener::Limits;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

use crate::{
    clients::{answer, ask, closed, connect, get, h2, is_served, send},
    served::serve,
};

async fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    socket.connect(address).await.unwrap()
}

#[tokio::test]
async fn past_the_limit_a_connection_is_closed_at_once() {
    let limits = Limits {
        max_connections: 3,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(served.address).await;
        assert_eq!(ask(&mut stream, "/").await.0, 200);
        open.push(stream);
    }
    let (took, said) = closed(&mut connect(served.address).await).await;
    assert!(took.as_millis() < 1000 && said.is_empty());
    for stream in &mut open {
        assert_eq!(ask(stream, "/").await.0, 200);
    }
    open.pop();
    while !is_served(served.address).await {}
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let limits = Limits {
        max_connections: 10,
        max_connections_per_address: 2,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_from("127.0.0.2", served.address).await;
        assert_eq!(ask(&mut stream, "/").await.0, 200);
        open.push(stream);
    }
    let mut third = connect_from("127.0.0.2", served.address).await;
    let (took, said) = closed(&mut third).await;
    assert!(took.as_millis() < 1000 && said.is_empty());
    let mut other = connect_from("127.0.0.3", served.address).await;
    assert_eq!(ask(&mut other, "/").await.0, 200);
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    let served = serve(&Limits::default()).await;
    let mut one = connect(served.address).await;
    let padding = "x".repeat(20_000);
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\npadding: {padding}\r\n\r\n");
    one.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut one).await.0, 431);

    let (two, _) = h2(connect(served.address).await).await;
    let large = Request::get("http://x/").header("padding", padding);
    let (code, _) = send(&two, large.body(()).unwrap()).await.unwrap();
    assert_eq!(code, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(get(&two, "/").await.unwrap().0, StatusCode::OK);
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let served = serve(&Limits::default()).await;
    let mut one = connect(served.address).await;
    let many: String = (0..200).map(|n| format!("h{n}: 1\r\n")).collect();
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    one.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut one).await.0, 431);

    let (two, _) = h2(connect(served.address).await).await;
    let mut large = Request::get("http://x/");
    for n in 0..600 {
        large = large.header(format!("h{n}"), "1");
    }
    let (code, _) = send(&two, large.body(()).unwrap()).await.unwrap();
    assert_eq!(code, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}
