//! One process of a service, to be killed, frozen and started again.

use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use e2e::Part;
use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use super::PATIENCE;

const POLL: Duration = Duration::from_millis(20);
/// Longer than a drain may take.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

/// A start of a replica that had run before.
#[derive(Debug, Clone)]
pub struct Restart {
    pub service: &'static str,
    pub replica: usize,
    pub started: DateTime<Utc>,
    pub ready: DateTime<Utc>,
}

pub struct Replica {
    service: &'static str,
    index: usize,
    part: Mutex<Part>,
    turn: tokio::sync::Mutex<()>,
    restarts: Mutex<Vec<Restart>>,
    started: Mutex<Option<DateTime<Utc>>>,
    client: reqwest::Client,
}

impl Replica {
    pub(super) fn new(service: &'static str, index: usize, part: Part) -> Self {
        Self {
            service,
            index,
            part: Mutex::new(part),
            turn: tokio::sync::Mutex::default(),
            restarts: Mutex::default(),
            started: Mutex::default(),
            client: reqwest::Client::new(),
        }
    }

    pub fn service(&self) -> &'static str {
        self.service
    }

    /// As links name it: `order-service/0`.
    pub fn name(&self) -> String {
        super::links::replica(self.service, self.index)
    }

    pub fn is(&self, service: &str, index: usize) -> bool {
        self.service == service && self.index == index
    }

    /// Whoever disturbs a replica holds its turn from the blow to the healing.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// None if somebody else has it.
    pub fn try_turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.turn.try_lock().ok()
    }

    pub(super) fn migrate(&self) {
        self.part.lock().migrate();
    }

    /// Starts it, with more in its environment this time, and returns at once.
    /// A replica that runs is left alone.
    pub fn spawn(&self, env: &[(&str, &str)]) {
        let mut part = self.part.lock();
        if !part.runs() {
            part.spawn_with(env);
        }
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&self) -> Result<()> {
        self.start_with(&[]).await
    }

    pub async fn start_with(&self, env: &[(&str, &str)]) -> Result<()> {
        *self.started.lock() = Some(Utc::now());
        self.spawn(env);
        self.ready(PATIENCE).await
    }

    /// From the next start on it runs the program of another build.
    pub fn take_programs_of(&self, directory: &Path) {
        self.part.lock().replace(directory.join(self.service));
    }

    /// Waits until it is ready.
    pub async fn ready(&self, patience: Duration) -> Result<()> {
        wait_until_ready(&self.part, &self.client, patience).await?;
        if let Some(started) = self.started.lock().take() {
            self.restarts.lock().push(Restart {
                service: self.service,
                replica: self.index,
                started,
                ready: Utc::now(),
            });
        }
        Ok(())
    }

    pub async fn is_ready(&self) -> bool {
        let private = self.part.lock().private();
        answers(&self.client, &private).await
    }

    pub(super) fn restarts(&self) -> Vec<Restart> {
        self.restarts.lock().clone()
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(&self) {
        self.part.lock().kill();
    }

    /// SIGTERM; its exit code when it has drained. None: it was killed by a
    /// signal, ours if it took too long, or did not run.
    pub async fn terminate(&self) -> Option<i32> {
        if !self.signal(Part::stop) {
            return None;
        }
        match self.ended(DRAIN_PATIENCE).await {
            Some(status) => status.code(),
            None => {
                self.kill();
                None
            }
        }
    }

    /// SIGSTOP: it stands where it is, its connections open. False if it does
    /// not run.
    pub fn freeze(&self) -> bool {
        self.signal(Part::freeze)
    }

    pub fn thaw(&self) -> bool {
        self.signal(Part::thaw)
    }

    fn signal(&self, send: impl Fn(&Part)) -> bool {
        let part = self.part.lock();
        if part.runs() {
            send(&part);
        }
        part.runs()
    }

    /// How it ended of itself; none if it still runs, or was ended by us.
    pub fn has_ended(&self) -> Option<ExitStatus> {
        self.part.lock().has_ended()
    }

    pub fn runs(&self) -> bool {
        self.part.lock().runs()
    }

    pub fn pid(&self) -> Option<u32> {
        self.part.lock().pid()
    }

    /// Waits until it ends of itself.
    pub async fn ended(&self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.has_ended() {
                return Some(status);
            }
            if Instant::now() >= deadline || !self.runs() {
                return None;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.part.lock().log()
    }

    /// Everything that it logged since the shop was started.
    pub fn whole_log(&self) -> String {
        self.part.lock().whole_log()
    }
}

pub(super) async fn wait_until_ready(
    part: &Mutex<Part>,
    client: &reqwest::Client,
    patience: Duration,
) -> Result<()> {
    let deadline = Instant::now() + patience;
    let private = part.lock().private();
    while !answers(client, &private).await {
        must_run(&mut part.lock())?;
        if Instant::now() >= deadline {
            let part = part.lock();
            bail!("{} is not ready\n{}", part.name(), part.log());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn must_run(part: &mut Part) -> Result<()> {
    if let Some(status) = part.has_ended() {
        bail!("{} ended: {status}\n{}", part.name(), part.log());
    }
    if !part.runs() {
        bail!("{} was killed before it was ready", part.name());
    }
    Ok(())
}

async fn answers(client: &reqwest::Client, private: &str) -> bool {
    let url = format!("http://{private}/health/ready");
    let request = client.get(url).timeout(Duration::from_secs(2));
    let answer = request.send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
