//! The example `small_service` as a child process.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Longer than anything here takes; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Built beside the tests by `cargo test`.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().unwrap().parent().unwrap();
    let binary = folder.join("examples/small_service");
    assert!(
        binary.exists(),
        "`cargo test -p process` builds {}",
        binary.display()
    );
    binary
}

/// With good settings in a clean environment; more may be added.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(args)
        .env_clear()
        .env("CARTWRIGHT__AUTH__MODE", "none")
        .env("CARTWRIGHT__DEPLOYMENT__ENVIRONMENT", "local")
        .env("CARTWRIGHT__PRIVATE_LISTEN", "127.0.0.1:0")
        .env("CARTWRIGHT__WORK_MS", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command that ends of itself.
pub(crate) fn run(command: &mut Command) -> Ended {
    let address = ([127, 0, 0, 1], 0).into();
    let child = command.spawn().unwrap();
    Service { child, address }.ended()
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Service {
    /// Starts to serve, and waits for nothing.
    pub(crate) fn spawn(env: &[(&str, &str)]) -> Self {
        let address = free_address();
        let mut command = command(&[]);
        command
            .env("CARTWRIGHT__PRIVATE_LISTEN", address.to_string())
            .envs(env.iter().copied());
        Self::of(&mut command, address)
    }

    /// Whatever was set on `command`, listening on `address`.
    pub(crate) fn of(command: &mut Command, address: SocketAddr) -> Self {
        let child = command.spawn().unwrap();
        Self { child, address }
    }

    pub(crate) fn started(env: &[(&str, &str)]) -> Self {
        let service = Self::spawn(env);
        service.wait_until("/health/ready", 200);
        service
    }

    pub(crate) fn wait_until(&self, path: &str, code: u16) {
        let began = Instant::now();
        while self.get(path) != Some(code) {
            assert!(began.elapsed() < PATIENCE, "{path} never answered {code}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<u16> {
        self.ask("GET", path, "").map(|(code, _)| code)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n");
        let request = format!("{head}connection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let code = head.split(' ').nth(1)?.parse().ok()?;
        Some((code, body.to_owned()))
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn ended(mut self) -> Ended {
        let status = self.wait();
        let (mut output, mut errors) = (String::new(), String::new());
        let stdout = self.child.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        let code = status.code();
        Ended {
            code,
            output,
            errors,
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only what a failed test left behind is still there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
