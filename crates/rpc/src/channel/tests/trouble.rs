//! Endpoints that are dead, go, freeze or refuse.

use std::time::Duration;

use listener::Limits;
use tonic::Code;

use super::{
    Load, check, check_within, eventually,
    server::{Server, Way, dead, refusing},
    to,
};
use crate::{Deadline, share};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn one_dead_endpoint_of_three_costs_no_call() {
    let (one, other) = (Server::start().await, Server::start().await);
    let channel = to(&[one.address, dead().await, other.address]);
    let load = Load::begin(&channel, 8);
    load.more(1_000).await;
    assert!(load.end().await.is_empty());
    assert!(one.calls() > 100 && other.calls() > 100, "both are asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_get_old_cost_no_call() {
    let limits = Limits {
        max_connection_age_s: 1,
        ..Limits::default()
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let (one, other) = (
        Server::at(any, &limits).await,
        Server::at(any, &limits).await,
    );
    let channel = to(&[one.address, other.address]);
    let load = Load::begin(&channel, 8);
    tokio::time::sleep(SECOND * 5).await;
    assert!(load.end().await.is_empty());
    let alone = to(&[one.address]);
    let load = Load::begin(&alone, 8);
    tokio::time::sleep(SECOND * 3).await;
    assert!(load.end().await.is_empty(), "not even with one endpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_endpoint_costs_no_call_and_is_used_again_when_it_is_back() {
    let (one, other) = (Server::start().await, Server::start().await);
    let channel = to(&[one.address, other.address]);
    let load = Load::begin(&channel, 8);
    load.more(200).await;
    let address = one.drain().await;
    load.more(200).await;
    let back = Server::at(address, &Limits::default()).await;
    eventually(async || back.calls() > 0).await;
    let address = other.drain().await;
    load.more(200).await;
    let other_back = Server::at(address, &Limits::default()).await;
    eventually(async || other_back.calls() > 0).await;
    assert!(load.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_endpoint_fails_what_it_had_and_nothing_after() {
    let (one, other) = (Server::start().await, Server::start().await);
    let channel = to(&[one.address, other.address]);
    let callers = 8;
    let load = Load::begin(&channel, callers);
    load.more(200).await;
    one.kill().await;
    load.more(500).await;
    let failures = load.end().await;
    assert!(failures.len() <= callers, "{failures:?}");
    for failure in failures {
        assert_eq!(failure.code(), Code::Unavailable, "{failure}");
    }
    assert!(other.calls() > 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_endpoint_is_left_out_until_it_thaws() {
    let (one, other) = (Server::start().await, Server::start().await);
    let way = Way::to(one.address).await;
    let channel = to(&[way.address, other.address]);
    eventually(async || {
        check(&channel).await.unwrap();
        one.calls() > 0 && other.calls() > 0
    })
    .await;
    way.frozen.send_replace(true);
    // Some calls have to find out.
    let mut failed = 0;
    let mut good_in_a_row = 0;
    while good_in_a_row < 200 {
        match check_within(&channel, SECOND * 2).await {
            Ok(()) => good_in_a_row += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
                (failed, good_in_a_row) = (failed + 1, 0);
            }
        }
    }
    assert!(failed <= 3, "{failed} errors in a row are enough");
    way.frozen.send_replace(false);
    let before = one.calls();
    eventually(async || {
        check(&channel).await.unwrap();
        one.calls() > before + 10
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_is_silent_calls_go_to_the_other() {
    let (one, other) = (Server::start().await, Server::start().await);
    let way = Way::to(one.address).await;
    let channel = to(&[way.address, other.address]);
    eventually(async || {
        check(&channel).await.unwrap();
        one.calls() > 0
    })
    .await;
    way.frozen.send_replace(true);
    let load = Load::begin(&channel, 4);
    load.more(300).await;
    way.frozen.send_replace(false);
    assert!(
        load.end().await.is_empty(),
        "those that wait are answered late"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_stream_is_sent_to_another_endpoint() {
    let good = Server::start().await;
    let channel = to(&[refusing().await, good.address]);
    for _ in 0..200 {
        check(&channel).await.unwrap();
    }
    let alone = to(&[refusing().await]);
    let refused = check(&alone).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_not_there_is_told_at_once_and_found_when_it_comes() {
    let address = dead().await;
    let channel = to(&[address, dead().await]);
    let failed = check(&channel).await.unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable, "{failed}");
    let server = Server::at(address, &Limits::default()).await;
    check(&channel).await.unwrap();
    assert_eq!(server.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_busier_of_two_gets_less() {
    let (slow, quick) = (Server::start().await, Server::start().await);
    slow.delay(SECOND / 5);
    let channel = to(&[slow.address, quick.address]);
    let load = Load::begin(&channel, 8);
    load.more(500).await;
    assert!(load.end().await.is_empty());
    assert!(
        quick.calls() > 4 * slow.calls(),
        "{} {}",
        quick.calls(),
        slow.calls()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_no_longer_than_its_caller_waits() {
    let server = Server::start().await;
    let channel = to(&[server.address]);
    let hop = share::within(Deadline::after(SECOND), check_within(&channel, SECOND * 9));
    hop.await.unwrap();
    let told = server.timeouts.lock().pop().unwrap();
    let micros: u64 = told.strip_suffix('u').expect("in µs").parse().unwrap();
    assert!((100_000..=950_000).contains(&micros), "{told}");

    server.delay(SECOND * 5);
    let late = check_within(&channel, SECOND / 5).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");

    let before = server.calls();
    let hop = share::within(Deadline::after(SECOND / 50), check_within(&channel, SECOND));
    assert_eq!(hop.await.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(server.calls(), before, "it is not even asked");
}
