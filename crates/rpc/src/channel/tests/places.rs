//! Names that mean other endpoints as time goes by.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tonic::Code;

use super::{Channel, Load, Names, Place, check, eventually, server::Server};

/// A name service that says what it is told to.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<SocketAddr>>>, Arc<Mutex<usize>>);

impl Book {
    fn say(&self, addresses: &[SocketAddr]) {
        *self.0.lock() = addresses.to_vec();
    }

    fn asked(&self) -> usize {
        *self.1.lock()
    }

    /// To whatever the book says of a name; nothing is an error.
    fn channel(&self) -> Channel {
        let places = Place::all("http://peer:1", None, None).unwrap();
        let book = self.clone();
        let names = Names::by(Duration::from_millis(20), move |_, _| {
            *book.1.lock() += 1;
            let said = book.0.lock().clone();
            async move {
                match said.is_empty() {
                    true => Err(io::Error::other("no such name")),
                    false => Ok(said),
                }
            }
        });
        Channel::to(places, names)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_follow_a_name_and_those_in_flight_end_where_they_are() {
    let (one, other) = (Server::start().await, Server::start().await);
    let book = Book::default();
    book.say(&[one.address]);
    let channel = book.channel();
    let load = Load::begin(&channel, 4);
    load.more(50).await;
    assert_eq!(other.calls(), 0);

    one.delay(Duration::from_millis(500));
    let before = one.calls();
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { check(&channel).await }
    });
    eventually(async || one.calls() > before).await;
    book.say(&[one.address, other.address]);
    eventually(async || other.calls() > 0).await;
    book.say(&[other.address]);
    slow.await.unwrap().unwrap();
    let asked = book.asked();
    eventually(async || book.asked() > asked + 2).await;
    let left = one.calls();
    load.more(200).await;
    assert_eq!(one.calls(), left, "it is not called any more");
    assert!(load.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_looked_up_means_what_it_meant() {
    let server = Server::start().await;
    let book = Book::default();
    let channel = book.channel();
    let failed = check(&channel).await.unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
    assert!(failed.message().contains("no such name"), "{failed}");

    book.say(&[server.address]);
    eventually(async || check(&channel).await.is_ok()).await;
    book.say(&[]);
    let asked = book.asked();
    eventually(async || book.asked() > asked + 2).await;
    let load = Load::begin(&channel, 4);
    load.more(100).await;
    assert!(load.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_looked_up_before_the_first_call_and_nothing_after_the_last_clone() {
    let server = Server::start().await;
    let book = Book::default();
    book.say(&[server.address]);
    let channel = book.channel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(book.asked(), 0);
    check(&channel).await.unwrap();
    drop(channel);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = book.asked();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(book.asked(), asked);
}
