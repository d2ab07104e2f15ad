//! A collector of spans over HTTP, by hand.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::collector::Collector;

pub(crate) async fn start() -> (Collector, String) {
    serve(None).await
}

pub(crate) async fn start_with(tls: TlsAcceptor) -> (Collector, String) {
    serve(Some(tls)).await
}

async fn serve(tls: Option<TlsAcceptor>) -> (Collector, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let collector = Collector::default();
    let kept = collector.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (kept, tls) = (kept.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => answer(stream, kept).await,
                    // Who is not trusted gets no further.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, kept).await;
                        }
                    }
                }
            });
        }
    });
    (collector, address)
}

/// One request, then the end.
async fn answer<S>(mut stream: S, collector: Collector)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
