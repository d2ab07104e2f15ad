//! The tests run this very test binary again as a child that starts the
//! stores, and then kill it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const AS_CHILD: &str = "TESTKIT_LIFETIME_CHILD";

#[tokio::test]
async fn servers_and_their_files_die_with_a_killed_process() {
    testkit::stores_available();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lifetime::child", "--nocapture", "--ignored"])
        .env(AS_CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let started = started_servers(&mut child);
    assert!(started.iter().all(|server| server.accepts()));
    assert!(started.iter().all(|server| Path::new(&server.dir).exists()));

    child.kill().unwrap();
    child.wait().unwrap();

    let deadline = Instant::now() + Duration::from_secs(20);
    while started.iter().any(Started::is_left) {
        assert!(Instant::now() < deadline, "a server outlives its process");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Its end is seen by that of the pipe that it inherits.
#[tokio::test]
async fn a_guarded_process_dies_with_a_killed_process() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lifetime::guarding_child", "--nocapture"])
        .arg("--ignored")
        .env(AS_CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("guarded") {
        line.clear();
        assert!(pipe.read_line(&mut line).unwrap() > 0, "it ended too soon");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let closed = tokio::task::spawn_blocking(move || pipe.read_to_end(&mut Vec::new()));
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    closed.expect("it outlives its process").unwrap().unwrap();
}

/// Not a test of its own: what the killed process does.
#[test]
#[ignore = "runs in the process that is killed"]
fn guarding_child() {
    if std::env::var(AS_CHILD).is_err() {
        return;
    }
    let mut sleeping = Command::new("sleep").arg("60").spawn().unwrap();
    testkit::orphans::guard(sleeping.id());
    println!("guarded");
    sleeping.wait().unwrap();
}

#[tokio::test]
async fn a_dropped_server_is_gone_at_once() {
    let redis = testkit::redis().await;
    let port = redis.port;
    drop(redis);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn a_crashed_or_killed_postgres_keeps_what_was_committed() {
    let mut own = testkit::TestPostgres::start().await;
    let fresh = own.database(&[]).await;
    let mut tx = fresh.db.begin().await.unwrap();
    sqlx::query("create table kept ()")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    own.crash().await;
    assert!(TcpStream::connect(("127.0.0.1", own.port())).is_err());
    own.restart().await;
    let mut tx = fresh.db.begin().await.unwrap();
    sqlx::query("alter table kept add more text")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    own.kill().await;
    assert!(TcpStream::connect(("127.0.0.1", own.port())).is_err());
    own.restart().await;
    let mut tx = fresh.db.begin().await.unwrap();
    sqlx::query("select more from kept")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Not a test of its own: what the killed process does.
#[tokio::test]
#[ignore = "runs in the process that is killed"]
async fn child() {
    if std::env::var(AS_CHILD).is_err() {
        return;
    }
    let redis = testkit::redis().await;
    let postgres = testkit::postgres().await;
    let mut out = std::io::stdout().lock();
    for (port, dir) in [
        (redis.port, redis.directory()),
        (postgres.port(), postgres.directory()),
    ] {
        use std::io::Write;
        writeln!(out, "started {port} {}", dir.display()).unwrap();
    }
    drop(out);
    std::future::pending::<()>().await;
}

struct Started {
    port: u16,
    dir: String,
}

impl Started {
    fn accepts(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn is_left(&self) -> bool {
        self.accepts() || Path::new(&self.dir).exists()
    }
}

fn started_servers(child: &mut Child) -> Vec<Started> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let mut words = line.split_once("started ")?.1.splitn(2, ' ');
            let port = words.next()?.parse().ok()?;
            let dir = words.next()?.to_owned();
            Some(Started { port, dir })
        })
        .take(2)
        .collect()
}
