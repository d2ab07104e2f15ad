//! On real sockets.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Conditions, Proxy};

/// Longer than the loopback interface takes, shorter than a test may.
const MOMENT: Duration = Duration::from_millis(200);

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Sends back what it gets.
async fn echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await.ok();
            write.shutdown().await.ok();
        });
    }
}

async fn proxy_to_echo() -> Proxy {
    let listener = listener().await;
    let target = listener.local_addr().unwrap();
    tokio::spawn(echo(listener));
    Proxy::start(vec![target]).await.unwrap()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn asked(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    answered(stream, text.len()).await
}

async fn answered(stream: &mut TcpStream, length: usize) -> String {
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether nothing comes for a moment.
async fn is_silent(stream: &TcpStream) -> bool {
    let mut byte = [0];
    let answer = tokio::time::timeout(MOMENT, stream.peek(&mut byte)).await;
    answer.is_err()
}

#[tokio::test]
async fn bytes_pass_and_so_does_the_end() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await;
    assert_eq!(asked(&mut stream, "one").await, "one");
    assert_eq!(asked(&mut stream, "two").await, "two");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn much_passes_unchanged() {
    let proxy = proxy_to_echo().await;
    let stream = connect(&proxy).await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut read, mut write) = stream.into_split();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut got = Vec::new();
    read.read_to_end(&mut got).await.unwrap();
    writing.await.unwrap();
    assert!(got == expected);
}

#[tokio::test]
async fn latency_is_met_both_ways_and_jitter_overtakes_nothing() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Conditions {
        latency: MOMENT,
        ..Conditions::default()
    });
    let before = Instant::now();
    asked(&mut stream, "late").await;
    assert!(before.elapsed() >= MOMENT * 2);

    proxy.set(Conditions {
        jitter: Duration::from_millis(20),
        ..Conditions::default()
    });
    let numbers: Vec<String> = (0..50).map(|n| format!("{n};")).collect();
    for number in &numbers {
        stream.write_all(number.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let all = numbers.concat();
    assert_eq!(answered(&mut stream, all.len()).await, all);
}

#[tokio::test]
async fn a_hole_swallows_one_way_until_it_is_healed() {
    for (there, back) in [(true, false), (false, true)] {
        let proxy = proxy_to_echo().await;
        let mut stream = connect(&proxy).await;
        asked(&mut stream, "before").await;
        proxy.set(Conditions {
            hold_there: there,
            hold_back: back,
            ..Conditions::default()
        });
        stream.write_all(b"held").await.unwrap();
        assert!(is_silent(&stream).await, "{there} {back}");
        let mut later = connect(&proxy).await;
        later.write_all(b"new").await.unwrap();
        assert!(is_silent(&later).await, "{there} {back}");
        proxy.heal();
        assert_eq!(answered(&mut stream, 4).await, "held");
        assert_eq!(answered(&mut later, 3).await, "new");
    }
}

#[tokio::test]
async fn the_news_of_a_dead_target_does_not_pass_a_hole() {
    let listener = listener().await;
    let target = listener.local_addr().unwrap();
    let proxy = Proxy::start(vec![target]).await.unwrap();
    let mut stream = connect(&proxy).await;
    stream.write_all(b"x").await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    accepted.read_u8().await.unwrap();
    proxy.set(Conditions {
        hold_back: true,
        ..Conditions::default()
    });
    accepted.set_zero_linger().unwrap();
    drop(accepted);
    assert!(is_silent(&stream).await);
    proxy.heal();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_cuts_what_is_connected_and_nothing_later() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await;
    asked(&mut stream, "before").await;
    proxy.reset();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut stream = connect(&proxy).await;
    assert_eq!(asked(&mut stream, "after").await, "after");
}

#[tokio::test]
async fn a_slow_line_takes_its_time() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await;
    asked(&mut stream, "fast").await;
    proxy.set(Conditions {
        bytes_per_second: Some(100),
        ..Conditions::default()
    });
    let before = Instant::now();
    let text = "0123456789".repeat(2);
    assert_eq!(asked(&mut stream, &text).await, text);
    assert!(before.elapsed() >= MOMENT);
}

#[tokio::test]
async fn one_that_refuses_keeps_what_is_connected_and_listens_again() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await;
    asked(&mut stream, "before").await;
    proxy.set(Conditions {
        refuse: true,
        ..Conditions::default()
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(proxy.address()).await.is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(asked(&mut stream, "still").await, "still");
    proxy.heal();
    let mut later = loop {
        match TcpStream::connect(proxy.address()).await {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(asked(&mut later, "again").await, "again");
}

#[tokio::test]
async fn a_dead_target_is_passed_over_and_none_is_a_reset() {
    let dead = (std::net::Ipv4Addr::LOCALHOST, testkit::free_port()).into();
    let listener = listener().await;
    let alive = listener.local_addr().unwrap();
    tokio::spawn(echo(listener));
    let proxy = Proxy::start(vec![dead, alive]).await.unwrap();
    for _ in 0..4 {
        let mut stream = connect(&proxy).await;
        assert_eq!(asked(&mut stream, "any").await, "any");
    }
    let proxy = Proxy::start(vec![dead]).await.unwrap();
    let mut stream = connect(&proxy).await;
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}
