//! How connections and listeners end.

use std::time::{Duration, Instant};

use http::StatusCode;
use listener::Limits;
use tokio::net::TcpStream;

use crate::{
    clients::{answer, ask, closed, connect, get, h2},
    served::{SOON, serve, serve_with},
};

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_ends() {
    let mut served = serve(&Limits::default()).await;
    let (mut idle, mut silent) = (connect(served.address).await, connect(served.address).await);
    assert_eq!(ask(&mut idle, "/").await.0, 200);
    let mut busy = connect(served.address).await;
    let one = tokio::spawn(async move { (ask(&mut busy, "/slow").await, closed(&mut busy).await) });
    let (two, end) = h2(connect(served.address).await).await;
    let two = tokio::spawn(async move { get(&two, "/slow").await });
    served.runs(2).await;

    let start = Instant::now();
    served.shutdown.cancel();
    assert!(closed(&mut idle).await.0 < Duration::from_secs(2));
    closed(&mut silent).await;
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "takes no more"
    );
    assert_eq!(one.await.unwrap().0, (200, "done".to_owned()));
    assert_eq!(two.await.unwrap().unwrap().0, StatusCode::OK);
    end.await.unwrap().expect("goes away in peace");
    (&mut served.task).await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_drain_has_an_end_whatever_clients_do() {
    let drain = Duration::from_millis(300);
    let mut served = serve_with(&Limits::default(), None, drain).await;
    let mut stuck = connect(served.address).await;
    let stuck = tokio::spawn(async move {
        let asked = tokio::io::AsyncWriteExt::write_all(
            &mut stuck,
            b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n",
        );
        asked.await.unwrap();
        closed(&mut stuck).await.1
    });
    let (two, _) = h2(connect(served.address).await).await;
    let two = tokio::spawn(async move { get(&two, "/hang").await });
    served.runs(2).await;
    let start = Instant::now();
    served.shutdown.cancel();
    (&mut served.task).await.unwrap();
    assert!(start.elapsed() >= drain && start.elapsed() < Duration::from_secs(2));
    assert!(stuck.await.unwrap().is_empty());
    two.await.unwrap().unwrap_err();
    served.runs(0).await;
}

#[tokio::test]
async fn a_listener_that_is_dropped_cuts_its_connections() {
    let served = serve(&Limits::default()).await;
    let mut open = connect(served.address).await;
    assert_eq!(ask(&mut open, "/").await.0, 200);
    served.task.abort();
    closed(&mut open).await;
}

#[tokio::test]
async fn an_old_connection_is_sent_away_with_its_requests_answered() {
    let limits = Limits {
        max_connection_age_s: 1,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let start = Instant::now();
    let (two, end) = h2(connect(served.address).await).await;
    let mut one = connect(served.address).await;
    assert_eq!(ask(&mut one, "/").await.0, 200);
    assert_eq!(get(&two, "/").await.unwrap().0, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let last = tokio::spawn(async move { get(&two, "/slow").await });
    let end = tokio::time::timeout(SOON, end).await.unwrap();
    end.unwrap().expect("a GOAWAY without an error");
    let age = start.elapsed();
    assert!((900..3000).contains(&age.as_millis()), "{age:?}");
    assert_eq!(last.await.unwrap().unwrap().1, "done");
    closed(&mut one).await;
}

#[tokio::test]
async fn the_ages_of_connections_differ() {
    let limits = Limits {
        max_connection_age_s: 2,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    let mut ends = Vec::new();
    let start = Instant::now();
    for _ in 0..20 {
        let mut stream = connect(served.address).await;
        assert_eq!(ask(&mut stream, "/").await.0, 200);
        ends.push(tokio::spawn(async move {
            closed(&mut stream).await;
            start.elapsed()
        }));
    }
    let mut ages = Vec::new();
    for end in ends {
        ages.push(end.await.unwrap());
    }
    let (first, last) = (ages.iter().min().unwrap(), ages.iter().max().unwrap());
    assert!(*first >= Duration::from_millis(1790), "{first:?}");
    assert!(*last - *first > Duration::from_millis(50), "{ages:?}");
}

#[tokio::test]
async fn a_request_that_crosses_the_end_is_answered_and_told_that_it_was_the_last() {
    let served = serve(&Limits::default()).await;
    let (mut fresh, mut used) = (connect(served.address).await, connect(served.address).await);
    assert_eq!(ask(&mut used, "/").await.0, 200, "both were let in");
    served.shutdown.cancel();
    let gone = async { while TcpStream::connect(served.address).await.is_ok() {} };
    tokio::time::timeout(SOON, gone).await.unwrap();
    for stream in [&mut used, &mut fresh] {
        tokio::io::AsyncWriteExt::write_all(stream, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let said = String::from_utf8(closed(stream).await.1).unwrap();
        let said = said.to_lowercase();
        assert!(said.starts_with("http/1.1 200"), "{said}");
        assert!(said.contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn an_answer_says_that_the_connection_ends() {
    let served = serve(&Limits::default()).await;
    let mut busy = connect(served.address).await;
    tokio::io::AsyncWriteExt::write_all(&mut busy, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    served.runs(1).await;
    served.shutdown.cancel();
    assert_eq!(answer(&mut busy).await, (200, "done".to_owned()));
    assert!(closed(&mut busy).await.1.is_empty());
}
