//! The answer to a COMMIT is lost on its way: what happened is unknown to the
//! caller, and the keys tell.

use crate::shop::{How, call, count, database, effects, once, replayed};
use database::{Database, Settings};
use idempotency::Outcome;
use secrecy::ExposeSecret;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

/// Stands between a pool and Postgres. Once armed, it passes the next COMMIT
/// on, waits until the server has answered, and hangs up without the answer.
async fn loses_next_commit(settings: &Settings) -> (Database, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server_port = testkit::postgres().await.port();
    let armed = Arc::new(AtomicBool::new(false));
    let trigger = armed.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server_port))
                .await
                .unwrap();
            tokio::spawn(relay(client, server, trigger.clone()));
        }
    });
    let url = settings.url.expose_secret();
    let mut proxied = settings.clone();
    proxied.url = url
        .replace(&format!(":{server_port}/"), &format!(":{port}/"))
        .into();
    (Database::connect(&proxied, "proxied").await.unwrap(), armed)
}

async fn relay(mut client: TcpStream, mut server: TcpStream, armed: Arc<AtomicBool>) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                server.write_all(&up[..n]).await.unwrap();
                let is_commit = up[..n].windows(6).any(|part| part.eq_ignore_ascii_case(b"commit"));
                if is_commit && armed.swap(false, Ordering::SeqCst) {
                    assert!(server.read(&mut down).await.unwrap() > 0);
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&down[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_finished_call_whose_commit_answer_is_lost_is_replayed() {
    let test = database().await;
    let (db, armed) = loses_next_commit(&test.settings).await;
    armed.store(true, Ordering::SeqCst);
    let saved = replayed(once(&db, call("k", "tea", How::Finish)).await);
    assert!(!armed.load(Ordering::SeqCst), "no commit was seen");
    assert!(saved.body.starts_with(b"tea "));
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn started_work_whose_commit_answer_is_lost_is_gone_on_with_at_once() {
    let test = database().await;
    let (db, armed) = loses_next_commit(&test.settings).await;
    armed.store(true, Ordering::SeqCst);
    let order = Uuid::now_v7();
    let answered = once(&db, call("k", "tea", How::Start(order))).await;
    assert!(!armed.load(Ordering::SeqCst), "no commit was seen");
    assert!(
        matches!(answered, Ok(Outcome::Resumed { resource }) if resource == order),
        "{answered:?}"
    );
    assert_eq!(effects(&test.db).await, ["tea"]);
}

#[tokio::test]
async fn a_connection_that_is_ended_before_the_commit_is_replaced_and_the_effect_is_single() {
    let test = database().await;
    let db = test.db.clone();
    let slow = How::Slow(Box::new(How::Finish));
    let running = tokio::spawn(async move { once(&db, call("k", "tea", slow)).await });
    let sleeping = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and wait_event = 'PgSleep'";
    let mut ended = 0;
    while ended == 0 && !running.is_finished() {
        ended = count(&test.db, sleeping).await;
    }
    assert_eq!(ended, 1);
    let answered = running.await.unwrap();
    assert!(matches!(answered, Ok(Outcome::Fresh(_))), "{answered:?}");
    assert_eq!(effects(&test.db).await, ["tea"]);
}
