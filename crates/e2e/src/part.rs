//! One process of the shop, to be killed and started again.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use testkit::orphans;

/// What runs as a part, and how.
#[derive(Debug, Clone)]
pub struct Program {
    pub name: &'static str,
    pub file: PathBuf,
    pub settings: PathBuf,
    pub env: BTreeMap<String, String>,
    pub log: PathBuf,
}

/// Linux divides the processor between sessions, and each process of Postgres is
/// one: a part has its own as well, or all parts together get as much as one of
/// those.
fn in_own_session(file: &Path) -> Command {
    static HAS_SETSID: LazyLock<bool> = LazyLock::new(|| {
        let asked = Command::new("setsid").arg("--version").output();
        asked.is_ok_and(|answer| answer.status.success())
    });
    if !*HAS_SETSID {
        return Command::new(file);
    }
    let mut command = Command::new("setsid");
    command.arg(file);
    command
}

/// Ends with a kill when dropped, and when the process that started it ends.
pub struct Part {
    program: Program,
    child: Option<Child>,
}

impl Part {
    pub fn new(program: Program) -> Self {
        Self {
            program,
            child: None,
        }
    }

    pub fn name(&self) -> &'static str {
        self.program.name
    }

    /// Runs another file from the next start on.
    pub fn replace(&mut self, file: PathBuf) {
        self.program.file = file;
    }

    /// Where its private listener is.
    pub fn private(&self) -> String {
        self.program.env["CARTWRIGHT__PRIVATE_LISTEN"].clone()
    }

    fn command(&self, subcommand: &str) -> Command {
        let program = &self.program;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&program.log);
        let log = log.expect("a log in the shop's own directory");
        let mut command = in_own_session(&program.file);
        command
            .arg("--config")
            .arg(&program.settings)
            .arg(subcommand)
            .envs(&program.env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    pub fn migrate(&self) {
        let status = self.command("migrate").status().expect("the binary runs");
        assert!(
            status.success(),
            "{} migrate failed:\n{}",
            self.name(),
            self.log()
        );
    }

    /// Starts it and returns at once.
    pub fn spawn(&mut self) {
        self.spawn_with(&[]);
    }

    /// The same with more in its environment, this time only.
    pub fn spawn_with(&mut self, env: &[(&str, &str)]) {
        assert!(self.child.is_none(), "{} runs already", self.name());
        let mut command = self.command("serve");
        let child = command.envs(env.iter().copied()).spawn();
        let child = child.expect("the binary runs");
        orphans::guard(child.id());
        self.child = Some(child);
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        self.ready().await;
    }

    pub async fn ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self
            .command("healthcheck")
            .status()
            .is_ok_and(|status| status.success())
        {
            let child = self.child.as_mut().expect("it was started");
            let ended = child.try_wait().expect("a child of ours");
            assert!(
                ended.is_none(),
                "{} ended: {ended:?}\n{}",
                self.name(),
                self.log()
            );
            assert!(
                Instant::now() < deadline,
                "{} is not ready\n{}",
                self.name(),
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
            orphans::release(child.id());
        }
    }

    /// SIGTERM; returns its exit code when it has drained.
    pub fn terminate(&mut self) -> Option<i32> {
        self.stop();
        self.ended()
    }

    /// SIGTERM; returns at once.
    pub fn stop(&self) {
        self.signal("TERM");
    }

    /// Waits until it ends of itself; returns its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("it runs");
        let ended = child.wait().expect("a child of ours");
        orphans::release(child.id());
        ended.code()
    }

    /// How it ended, if it did so since it was started; then it can be started
    /// again.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        let ended = child.try_wait().expect("a child of ours")?;
        orphans::release(child.id());
        self.child = None;
        Some(ended)
    }

    /// Whether it was started and its end was not seen yet.
    pub fn runs(&self) -> bool {
        self.child.is_some()
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Stops the process where it stands, as a long pause would.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "kill -s {signal} {pid}"
        );
    }

    /// The end of its log, for the message of a failed test.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.program.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Everything that it logged.
    pub fn whole_log(&self) -> String {
        std::fs::read_to_string(&self.program.log).unwrap_or_default()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
    }
}
