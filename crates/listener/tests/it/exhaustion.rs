//! A process that has no file descriptors left.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use listener::Limits;
use tokio::net::TcpStream;

use crate::{
    clients::is_served,
    served::{SOON, serve},
};

/// Started anew with a limit of its own.
#[tokio::test]
#[ignore = "run by the test below, with few descriptors"]
async fn a_server_with_few_descriptors() {
    let served = serve(&Limits::default()).await;
    println!("\nlistens on {}", served.address);
    let end = || std::io::stdin().lines().count();
    tokio::task::spawn_blocking(end).await.unwrap();
}

struct Starved {
    child: Child,
    address: SocketAddr,
    _until_dropped: ChildStdin,
}

impl Starved {
    fn start() -> Self {
        let test = "exhaustion::a_server_with_few_descriptors";
        let command = format!("ulimit -n 40; exec \"$0\" --ignored --nocapture --exact {test}");
        let mut child = Command::new("sh")
            .args(["-c", &command])
            .arg(std::env::current_exe().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.strip_prefix("listens on ")?.parse().unwrap())
        });
        Self {
            address: address.unwrap(),
            _until_dropped: child.stdin.take().unwrap(),
            child,
        }
    }

    /// Hundredths of a second of CPU so far.
    fn cpu(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
        let times = fields.skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn without_descriptors_a_listener_waits_and_recovers() {
    let starved = Starved::start();
    assert!(is_served(starved.address).await);
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(starved.address).await.unwrap());
    }
    let before = starved.cpu();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let spent = starved.cpu() - before;
    assert!(spent < 30, "{spent} % of a CPU while nothing can be done");
    drop(silent);
    let start = Instant::now();
    assert!(is_served(starved.address).await);
    assert!(start.elapsed() < SOON);
}
