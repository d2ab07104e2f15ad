use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use limits::{Limits, Quota, Settings};

use crate::world::*;

fn at_the_door(burst: u32) -> Limits {
    let settings = Settings {
        address: Quota::new(1, burst),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..unlimited()
    };
    Limits::new(handle("redis://127.0.0.1:1"), settings)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn forwarded_for(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_str(text).unwrap());
    headers
}

#[tokio::test]
async fn strangers_who_knock_too_often_are_refused_without_redis() {
    let limits = at_the_door(5);
    let stranger = address("2001:db8::1");
    for _ in 0..5 {
        drop(limits.enter(stranger).unwrap());
    }
    let refused = limits.enter(stranger).unwrap_err();
    assert_eq!(refused.dimension, Address);
    let neighbour = address("2001:db8::2");
    assert!(limits.enter(neighbour).is_err(), "of the same household");
    assert!(limits.enter(address("2001:db8:1::1")).is_ok());
}

#[tokio::test]
async fn staff_and_services_get_their_entry_back() {
    let limits = at_the_door(5);
    let back_end = address("203.0.113.7");
    for _ in 0..100 {
        limits.enter(back_end).unwrap().give_back();
    }
    let inside: Vec<_> = (0..5).map(|_| limits.enter(back_end).unwrap()).collect();
    assert!(limits.enter(back_end).is_err());
    inside.into_iter().for_each(limits::Entry::give_back);
    assert!(limits.enter(back_end).is_ok());
}

#[tokio::test]
async fn a_made_up_header_gives_nobody_a_new_quota() {
    let limits = at_the_door(5);
    let refused = |peer: &'static str| {
        let limits = limits.clone();
        let own = move |i: u32| format!("198.51.100.{i}, 203.0.113.7");
        (0..20)
            .map(|i| limits.client_address(address(peer), &forwarded_for(&own(i))))
            .filter(|client| limits.enter(*client).is_err())
            .count()
    };
    assert_eq!(refused("192.0.2.9"), 15, "who is no proxy");
    assert_eq!(refused("10.0.0.1"), 15, "behind a proxy");
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_told_of_once() {
    let (log, _guard) = Log::start();
    let limits = at_the_door(5);
    for _ in 0..10 {
        for peer in ["172.16.0.1", "203.0.113.7", "10.0.0.1"] {
            limits.client_address(address(peer), &forwarded_for("198.51.100.1"));
        }
        limits.client_address(address("192.168.0.1"), &HeaderMap::new());
    }
    let lines = log.lines();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("trusted_proxies"))
        .collect();
    assert_eq!(told.len(), 1, "{lines:#?}");
    assert!(told[0].contains("172.16.0.1"));
}

#[tokio::test]
async fn new_proxies_are_believed_after_a_reload() {
    let limits = at_the_door(5);
    let of = || limits.client_address(address("192.0.2.1"), &forwarded_for("203.0.113.7"));
    assert_eq!(of(), address("192.0.2.1"));
    limits.reload(Settings {
        trusted_proxies: vec!["192.0.2.1".parse().unwrap()],
        ..Settings::default()
    });
    assert_eq!(of(), address("203.0.113.7"));
}
