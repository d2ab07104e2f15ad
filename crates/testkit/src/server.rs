//! A server process that ends with the test process and leaves nothing.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

pub(crate) enum Start {
    Ready,
    /// The port was taken between its choice and its use.
    PortTaken,
    /// What a killed server left behind still uses its data.
    StillInUse,
}

/// How a kind of server is started and ended.
pub(crate) struct Kind {
    /// The file below `scripts/`.
    pub script: &'static str,
    /// The signal that ends it; its files are removed after that.
    pub signal: &'static str,
    pub arguments: &'static [&'static str],
}

/// A shell between us and the server holds the other end of our pipe, in a
/// process group of its own: neither Ctrl-C nor `kill -9` of the tests can
/// leave the server behind.
pub(crate) struct Server {
    guard: Child,
    pub dir: PathBuf,
    pub port: u16,
}

impl Server {
    /// `more` arguments come after those of its kind.
    pub(crate) async fn spawn(kind: &Kind, more: &[String]) -> Server {
        for _ in 0..5 {
            let mut server = Self::prepare(kind, more, crate::free_port());
            if let Start::Ready = server.start().await {
                return server;
            }
        }
        panic!("{}: each of five ports was taken", kind.script);
    }

    fn prepare(kind: &Kind, more: &[String], port: u16) -> Server {
        // The server's user must be able to pass through it.
        let passable = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new()
            .prefix(&format!("cartwright-{}-", kind.script))
            .permissions(passable)
            .tempdir()
            .expect("a directory for a private server")
            .keep();
        // As the servers name it, where the way to it has symbolic links.
        let dir = dir.canonicalize().expect("the directory just made");
        let guard = Command::new("sh")
            .args(["-c", include_str!("guard.sh"), "guard"])
            .args([dir.as_path(), Path::new(kind.signal), &script(kind.script)])
            .args([dir.join("data").as_path(), Path::new(&port.to_string())])
            .args(kind.arguments)
            .args(more)
            .env("PRIVATE_POSTGRES_SYNC", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        Server { guard, dir, port }
    }

    pub(crate) async fn start(&mut self) -> Start {
        self.order("start\n");
        let deadline = Instant::now() + PATIENCE;
        // Until the script has run, what answers on the port may be another's.
        while !self.accepts() || !self.has_pid() {
            if self.has_ended() {
                let log = self.log();
                if log.contains("is taken") || log.contains("Address already in use") {
                    return Start::PortTaken;
                }
                if log.contains("is still in use") {
                    return Start::StillInUse;
                }
                panic!("a private server did not start:\n{log}");
            }
            assert!(
                Instant::now() < deadline,
                "a private server is not ready:\n{}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
        Start::Ready
    }

    pub(crate) async fn stop(&mut self) {
        self.end("stop\n").await;
    }

    /// `kill -9`, whatever the signal of its kind.
    pub(crate) async fn kill(&mut self) {
        self.end("kill\n").await;
    }

    async fn end(&mut self, order: &str) {
        self.order(order);
        let deadline = Instant::now() + PATIENCE;
        let stopped = self.dir.join("stopped");
        while std::fs::remove_file(&stopped).is_err() {
            assert!(Instant::now() < deadline, "a private server does not stop");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Is `dir`, as the server that answers names it, a directory of ours?
    pub(crate) fn owns(&self, dir: &str) -> bool {
        Path::new(dir).starts_with(self.dir.join("data"))
    }

    /// The last lines that the server wrote.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.dir.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.dir.join("ended").exists()
    }

    fn has_pid(&self) -> bool {
        self.dir.join("pid").exists()
    }

    fn accepts(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    fn order(&mut self, line: &str) {
        let pipe = self.guard.stdin.as_mut().expect("the guard's pipe");
        pipe.write_all(line.as_bytes()).expect("the guard lives");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

/// Panics with what to install where a server's binaries are missing.
pub fn stores_available() {
    for name in ["private-postgres", "private-redis"] {
        let check = Command::new(script(name))
            .arg("--check")
            .output()
            .expect("the scripts of this repository");
        let says = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{}", says.trim());
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts")
        .join(name)
}
