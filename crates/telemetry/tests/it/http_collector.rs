//! A collector of spans over HTTP, by hand.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::collector::Collector;

pub(crate) async fn start() -> (Collector, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let collector = Collector::default();
    let kept = collector.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, kept.clone()));
        }
    });
    (collector, address)
}

/// One request, then the end.
async fn answer(mut stream: TcpStream, collector: Collector) {
    let mut seen = Vec::new();
    let end = loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    };
    let head = String::from_utf8(seen[..end].to_vec()).unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    let length = head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    while seen.len() < end + length {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    }
    if head.starts_with("post /v1/traces ") {
        let request = ExportTraceServiceRequest::decode(&seen[end..]).unwrap();
        collector.keep_spans(request);
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
}
