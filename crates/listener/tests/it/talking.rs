//! Both protocols on one port.

use http::StatusCode;
use listener::Limits;

use crate::{
    clients::{ask, connect, get, h2},
    served::serve,
};

#[tokio::test]
async fn both_protocols_are_spoken_on_one_port() {
    let served = serve(&Limits::default()).await;
    let mut one = connect(served.address).await;
    assert_eq!(ask(&mut one, "/").await, (200, "hello".to_owned()));
    assert_eq!(ask(&mut one, "/").await, (200, "hello".to_owned()));
    let (two, _) = h2(connect(served.address).await).await;
    let hello = (StatusCode::OK, "hello".to_owned());
    assert_eq!(get(&two, "/").await.unwrap(), hello);
    assert_eq!(get(&two, "/").await.unwrap(), hello);
}

#[tokio::test]
async fn every_request_knows_the_address_of_its_client() {
    let served = serve(&Limits::default()).await;
    let mut one = connect(served.address).await;
    assert_eq!(ask(&mut one, "/peer").await.1, "127.0.0.1 ");
    let (two, _) = h2(connect(served.address).await).await;
    assert_eq!(get(&two, "/peer").await.unwrap().1, "127.0.0.1 ");
}

#[tokio::test]
async fn a_panic_in_one_connection_harms_no_other() {
    let served = serve(&Limits::default()).await;
    let mut other = connect(served.address).await;
    assert_eq!(ask(&mut other, "/").await.0, 200);
    let (two, _) = h2(connect(served.address).await).await;
    get(&two, "/panic").await.unwrap_err();
    assert_eq!(get(&two, "/").await.unwrap().1, "hello", "the next stream");
    assert_eq!(ask(&mut other, "/").await.0, 200);
}

#[tokio::test]
async fn a_limit_that_lets_nothing_through_is_refused_by_name() {
    let limits = Limits {
        max_header_bytes: 100,
        ..Limits::default()
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let error = listener::bind(any, &limits, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "connections.max_header_bytes: expected at least 8192, got 100"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let served = serve(&Limits::default()).await;
    let taken = listener::bind(served.address, &Limits::default(), None).await;
    let text = taken.unwrap_err().to_string();
    let start = format!("cannot listen on {}: ", served.address);
    assert!(text.starts_with(&start), "{text}");
}
