//! Clients that take their time: each must lose its place.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use listener::Limits;
use tokio::io::AsyncWriteExt;

use crate::{
    clients::{answer, ask, closed, connect, get, h2, is_served, request},
    served::serve,
};

fn impatient() -> Limits {
    Limits {
        header_timeout_ms: 300,
        idle_timeout_ms: 800,
        stall_timeout_ms: 400,
        ..Limits::default()
    }
}

fn about(took: Duration, expected_ms: u64) {
    let took = took.as_millis() as u64;
    let range = expected_ms - 100..expected_ms + 3000;
    assert!(range.contains(&took), "{took} ms, not {expected_ms}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let served = serve(&impatient()).await;
    let (took, said) = closed(&mut connect(served.address).await).await;
    about(took, 300);
    assert!(said.is_empty());
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off() {
    let served = serve(&impatient()).await;
    let beginnings: [&[u8]; 2] = [b"GET / HTTP/1.1\r\nhost: x\r\n", b"PRI * HTTP/2.0\r\n\r\n"];
    for beginning in beginnings {
        let mut stream = connect(served.address).await;
        stream.write_all(beginning).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        let dripping = tokio::spawn(async move {
            for byte in b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
                .iter()
                .cycle()
            {
                if to.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let (took, said) = closed(&mut from).await;
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert!(!said.starts_with(b"HTTP/1.1 200"));
        dripping.abort();
    }
}

#[tokio::test]
async fn the_head_of_a_later_request_may_not_drip_either() {
    let served = serve(&impatient()).await;
    let mut stream = connect(served.address).await;
    assert_eq!(ask(&mut stream, "/").await.0, 200);
    stream.write_all(b"GET / HT").await.unwrap();
    let (took, _) = closed(&mut stream).await;
    about(took, 300);
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_and_then_ends() {
    let served = serve(&impatient()).await;
    let mut one = connect(served.address).await;
    let (two, end) = h2(connect(served.address).await).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut one, "/").await.0, 200);
        assert_eq!(get(&two, "/").await.unwrap().0, StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(450)).await;
    }
    let (took, said) = closed(&mut one).await;
    about(took, 350);
    assert!(said.is_empty());
    end.await.unwrap().expect("goes away in peace");
}

#[tokio::test]
async fn a_connection_is_not_idle_while_it_waits_for_its_answer() {
    let limits = Limits {
        header_timeout_ms: 100,
        idle_timeout_ms: 100,
        stall_timeout_ms: 100,
        ..Limits::default()
    };
    let served = serve(&limits).await;
    assert_eq!(
        ask(&mut connect(served.address).await, "/slow").await.0,
        200
    );
    let (two, _) = h2(connect(served.address).await).await;
    assert_eq!(get(&two, "/slow").await.unwrap().1, "done");
}

#[tokio::test]
async fn a_body_must_make_progress() {
    let served = serve(&impatient()).await;
    let head = b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n";
    let mut slow = connect(served.address).await;
    slow.write_all(head).await.unwrap();
    for byte in b"12345678" {
        tokio::time::sleep(Duration::from_millis(100)).await;
        slow.write_all(&[*byte]).await.unwrap();
    }
    assert_eq!(answer(&mut slow).await, (200, "8".to_owned()));

    let mut stalled = connect(served.address).await;
    stalled.write_all(head).await.unwrap();
    stalled.write_all(b"123").await.unwrap();
    let broken = "broken: the body of the request did not come in time";
    assert_eq!(answer(&mut stalled).await.1, broken);

    let (two, _) = h2(connect(served.address).await).await;
    assert_eq!(stalled_upload(two).await, broken);
}

async fn stalled_upload(client: SendRequest<Bytes>) -> String {
    let request = Request::post("http://x/length").body(()).unwrap();
    let mut client = client.ready().await.unwrap();
    let (answer, mut upload) = client.send_request(request, false).unwrap();
    upload.send_data(Bytes::from_static(b"123"), false).unwrap();
    let mut body = answer.await.unwrap().into_body();
    let text = body.data().await.unwrap().unwrap();
    String::from_utf8(text.to_vec()).unwrap()
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let served = serve(&impatient()).await;
    let mut one = connect(served.address).await;
    one.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    served.runs(1).await;
    served.runs(0).await;

    let (two, _end) = h2(connect(served.address).await).await;
    let mut two = two.ready().await.unwrap();
    // The window of the stream is never given back.
    let answer = two.send_request(request("/endless"), true).unwrap().0;
    let _body = answer.await.unwrap().into_body();
    served.runs(1).await;
    served.runs(0).await;
}

#[tokio::test]
async fn silent_connections_keep_nobody_out_for_long() {
    let limits = Limits {
        max_connections: 50,
        ..impatient()
    };
    let served = serve(&limits).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(connect(served.address).await);
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(is_served(served.address).await);
}
