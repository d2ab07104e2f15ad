//! Clients that do just what a test says.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::served::SOON;

pub async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// Asks over HTTP/1.1 and leaves the connection open: the code and the body.
pub async fn ask(stream: &mut impl Stream, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::timeout(SOON, answer(stream)).await.unwrap()
}

/// Whether a listener answers at all.
pub async fn is_served(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return false;
    };
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    if stream.write_all(request).await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(SOON, read).await.unwrap();
    answer.starts_with(b"HTTP/1.1 200")
}

pub async fn answer(stream: &mut impl Stream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (code, String::from_utf8(body).unwrap())
}

/// How long the server took to close, and what it said until then.
pub async fn closed(stream: &mut (impl AsyncRead + Unpin)) -> (Duration, Vec<u8>) {
    let (start, mut said) = (std::time::Instant::now(), Vec::new());
    // An error is an end too: a reset.
    let read = stream.read_to_end(&mut said);
    let _ = tokio::time::timeout(SOON, read).await.expect("it closes");
    (start.elapsed(), said)
}

/// An HTTP/2 client, and the end of its connection.
pub async fn h2(stream: impl Stream) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    (client, tokio::spawn(connection))
}

pub async fn get(
    client: &SendRequest<Bytes>,
    path: &str,
) -> Result<(StatusCode, String), h2::Error> {
    send(client, request(path)).await
}

pub fn request(path: &str) -> Request<()> {
    Request::get(format!("http://x{path}")).body(()).unwrap()
}

pub async fn send(
    client: &SendRequest<Bytes>,
    request: Request<()>,
) -> Result<(StatusCode, String), h2::Error> {
    let exchange = async {
        let mut client = client.clone().ready().await?;
        let (answer, _) = client.send_request(request, true)?;
        let (head, mut body) = answer.await?.into_parts();
        let mut text = Vec::new();
        while let Some(part) = body.data().await {
            let part = part?;
            body.flow_control().release_capacity(part.len())?;
            text.extend_from_slice(&part);
        }
        Ok((head.status, String::from_utf8(text).unwrap()))
    };
    tokio::time::timeout(SOON, exchange).await.unwrap()
}
