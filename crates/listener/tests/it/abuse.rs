//! What HTTP/2 lets a hostile client do, by raw bytes where no honest client
//! would.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use http::StatusCode;
use listener::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    clients::{connect, get, h2, is_served, request},
    served::{Served, serve},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const ENHANCE_YOUR_CALM: u32 = 11;

#[derive(Clone, Copy)]
enum Kind {
    Headers = 1,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Continuation = 9,
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET http://x/hang`, by HPACK's static table.
const HANG: &[u8] = b"\x82\x86\x04\x05/hang\x01\x01x";

fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind as u8, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Past preface and settings.
async fn raw(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).await;
    stream.write_all(PREFACE).await.unwrap();
    let settings = frame(Kind::Settings, 0, 0, &[]);
    stream.write_all(&settings).await.unwrap();
    stream
}

/// Sends until the server has enough; how much that was, and why it ended.
async fn flood(
    mut stream: TcpStream,
    parts: impl Iterator<Item = Vec<u8>>,
) -> (usize, Option<u32>) {
    let mut sent = 0;
    let sending = async {
        let (mut from, mut to) = stream.split();
        let mut said = Vec::new();
        let send = async {
            for part in parts {
                if to.write_all(&part).await.is_err() {
                    break;
                }
                sent += part.len();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = send => {}
            _ = from.read_to_end(&mut said) => {}
        }
        why_it_ended(&said)
    };
    let why = tokio::time::timeout(Duration::from_secs(30), sending).await;
    (sent, why.expect("the server ends it"))
}

fn why_it_ended(mut said: &[u8]) -> Option<u32> {
    while let Some((head, rest)) = said.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        if head[3] == Kind::GoAway as u8 {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        said = rest;
    }
    None
}

async fn still_serves(served: &Served) {
    assert!(is_served(served.address).await);
    let (client, _) = h2(connect(served.address).await).await;
    assert_eq!(get(&client, "/").await.unwrap().0, StatusCode::OK);
    served.runs(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_ends_its_own_connection_only() {
    let served = serve(&Limits::default()).await;
    let (other, _) = h2(connect(served.address).await).await;
    let attack = (0..10_000u32).map(|n| {
        let stream = 2 * n + 1;
        let mut both = frame(Kind::Headers, END_STREAM | END_HEADERS, stream, HANG);
        both.extend(frame(Kind::Reset, 0, stream, &8u32.to_be_bytes()));
        both
    });
    let attack = tokio::spawn(flood(raw(served.address).await, attack));
    let mut slowest = Duration::ZERO;
    while !attack.is_finished() {
        let start = Instant::now();
        assert_eq!(get(&other, "/").await.unwrap().0, StatusCode::OK);
        slowest = slowest.max(start.elapsed());
    }
    let (_, why) = attack.await.unwrap();
    assert_eq!(why, Some(ENHANCE_YOUR_CALM));
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    still_serves(&served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_that_are_opened_and_reset_harm_nobody() {
    let served = serve(&Limits::default()).await;
    let (other, _) = h2(connect(served.address).await).await;
    let (client, _) = h2(connect(served.address).await).await;
    for n in 0..10_000 {
        let Ok(mut client) = client.clone().ready().await else {
            break;
        };
        let Ok((answer, _)) = client.send_request(request("/hang"), true) else {
            break;
        };
        drop(answer);
        if n % 500 == 0 {
            assert_eq!(get(&other, "/").await.unwrap().0, StatusCode::OK);
        }
    }
    drop(client);
    still_serves(&served).await;
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let served = serve(&Limits::default()).await;
    // A literal header of 16 kB without indexing, again and again.
    let mut header: Vec<u8> = b"\x00\x01h\x7f\xfb\x7e".to_vec();
    header.resize(16_384, b'x');
    let first = frame(Kind::Headers, END_STREAM, 1, HANG);
    let more = frame(Kind::Continuation, 0, 1, &header);
    let attack = std::iter::once(first).chain(std::iter::repeat_n(more, 16_384));
    let (sent, why) = flood(raw(served.address).await, attack).await;
    assert!(
        sent < 32 * 1024 * 1024,
        "{sent} bytes of headers were taken"
    );
    assert!(
        why.is_none_or(|why| why == ENHANCE_YOUR_CALM || why == 1),
        "{why:?}"
    );
    still_serves(&served).await;
}

#[tokio::test]
async fn empty_continuations_are_cut_off() {
    let served = serve(&Limits::default()).await;
    let first = frame(Kind::Headers, END_STREAM, 1, HANG);
    let more = frame(Kind::Continuation, 0, 1, &[]).repeat(100);
    let attack = std::iter::once(first).chain(std::iter::repeat_n(more, 10_000));
    let (sent, _) = flood(raw(served.address).await, attack).await;
    assert!(sent < 9_000_000, "all were taken");
    still_serves(&served).await;
}

#[tokio::test]
async fn pings_without_end_are_cut_off_when_nobody_reads_the_answers() {
    let limits = Limits {
        stall_timeout_ms: 500,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let mut stream = raw(served.address).await;
    let pings = frame(Kind::Ping, 0, 0, &[0; 8]).repeat(1000);
    let attack = async { while stream.write_all(&pings).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), attack)
        .await
        .expect("cut off");
    still_serves(&served).await;
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let limits = Limits {
        max_streams_per_connection: 10,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let mut stream = raw(served.address).await;
    for n in 0..50u32 {
        let open = frame(Kind::Headers, END_STREAM | END_HEADERS, 2 * n + 1, HANG);
        stream.write_all(&open).await.unwrap();
    }
    served.runs(10).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.runs(10).await;
    drop(stream);
    still_serves(&served).await;
}
