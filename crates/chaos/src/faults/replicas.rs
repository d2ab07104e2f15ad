//! What is done to replicas.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use chrono::Utc;
use tokio::time::{Instant, sleep};

use super::Faults;
use super::journal::Window;
use crate::schedule::Target;
use crate::shop::Replica;

/// How long somebody may take to come by an armed failpoint.
const POINT_PATIENCE: Duration = Duration::from_secs(15);
/// A replica that is not back by then does not come back.
const RETURN_PATIENCE: Duration = Duration::from_secs(90);
/// Between two starts of a replica that ends again and again.
const CRASH_PAUSE: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(20);
const WATCH_POLL: Duration = Duration::from_millis(200);
const SIGABRT: i32 = 6;
/// `EX_USAGE`: the program has no such failpoint or setting.
const USAGE: i32 = 64;

impl Faults {
    /// The replica, with nobody else disturbing it, and running.
    fn replica(&self, target: Target) -> Arc<Replica> {
        Arc::clone(self.shop.replica(target.service, target.replica))
    }

    pub(super) async fn kill(&self, target: Target, pause: Duration) -> Result<()> {
        let replica = self.replica(target);
        let _turn = replica.turn().await;
        self.must_run(&replica).await?;
        let window = self.journal.begin("kill", format!("kill {target}"));
        replica.kill();
        sleep(pause).await;
        self.back(&replica, window).await
    }

    pub(super) async fn terminate(&self, target: Target, pause: Duration) -> Result<()> {
        let replica = self.replica(target);
        let _turn = replica.turn().await;
        self.must_run(&replica).await?;
        let window = self.journal.begin("sigterm", format!("sigterm {target}"));
        let code = replica.terminate().await;
        if code != Some(0) {
            let end = format!("{target} ended with {code:?} instead of 0 after SIGTERM");
            self.journal.trouble(end);
        }
        sleep(pause).await;
        self.back(&replica, window).await
    }

    pub(super) async fn freeze(&self, target: Target, length: Duration) -> Result<()> {
        let replica = self.replica(target);
        let _turn = replica.turn().await;
        self.must_run(&replica).await?;
        let what = format!("freeze {target} for {:.1} s", length.as_secs_f64());
        let window = self.journal.begin("freeze", what);
        replica.freeze();
        sleep(length).await;
        replica.thaw();
        window.end();
        Ok(())
    }

    /// The start at which it is armed follows a kill, which counts as one.
    pub(super) async fn abort(
        &self,
        target: Target,
        point: &'static str,
        passes: u32,
    ) -> Result<()> {
        let replica = self.replica(target);
        let _turn = replica.turn().await;
        self.must_run(&replica).await?;
        let mut window = Some(self.journal.begin("kill", format!("kill {target}")));
        replica.kill();
        let armed = match passes {
            0 => format!("{point}=return"),
            passes => format!("{point}={passes}*off->return"),
        };
        let deadline = Instant::now() + POINT_PATIENCE;
        replica.spawn(&[("FAILPOINTS", &armed)]);
        let status = loop {
            if let Some(status) = replica.has_ended() {
                if is_abort(status) || status.code() == Some(USAGE) {
                    break Some(status);
                }
                // A store was away when it started.
                self.journal.ended(&replica, status);
                sleep(CRASH_PAUSE).await;
                replica.spawn(&[("FAILPOINTS", &armed)]);
            }
            if window.is_some() && replica.is_ready().await {
                self.note_back(&replica, window.take());
            }
            if Instant::now() >= deadline {
                break None;
            }
            sleep(POLL).await;
        };
        let window = match status {
            Some(status) => {
                if !is_abort(status) || !replica.log().contains(&format!("failpoint {point}")) {
                    bail!(
                        "{target} ended with {status} instead of an abort\n{}",
                        replica.log()
                    );
                }
                if let Some(window) = window {
                    window.end();
                }
                self.journal.reached(point);
                let what = format!("abort {target} at {point}");
                self.journal.begin("failpoint abort", what)
            }
            None => {
                self.journal.not_reached(point);
                let window = window.unwrap_or_else(|| {
                    self.journal
                        .begin("kill", format!("kill {target}, disarmed"))
                });
                replica.kill();
                window
            }
        };
        self.back(&replica, window).await
    }

    async fn must_run(&self, replica: &Replica) -> Result<()> {
        if let Some(status) = replica.has_ended() {
            self.journal.ended(replica, status);
        }
        if !replica.runs() {
            self.bring_back(replica).await?;
        }
        Ok(())
    }

    /// Starts it and waits until it is ready; then the window is closed.
    async fn back(&self, replica: &Replica, window: Window<'_>) -> Result<()> {
        let back = self.bring_back(replica).await;
        self.note_back(replica, Some(window));
        back
    }

    fn note_back(&self, replica: &Replica, window: Option<Window<'_>>) {
        let now = Utc::now();
        self.journal.restarted(replica.name(), now);
        if let Some(window) = window {
            window.end_at(now);
        }
    }

    /// Starts it, again and again while a store that it needs at the start is
    /// away.
    pub(super) async fn bring_back(&self, replica: &Replica) -> Result<()> {
        let deadline = Instant::now() + RETURN_PATIENCE;
        loop {
            replica.spawn(&[]);
            let status = loop {
                if let Some(status) = replica.has_ended() {
                    break status;
                }
                if replica.is_ready().await {
                    return Ok(());
                }
                if Instant::now() >= deadline {
                    bail!("{} does not come back\n{}", replica.name(), replica.log());
                }
                sleep(POLL).await;
            };
            self.journal.ended(replica, status);
            sleep(CRASH_PAUSE).await;
        }
    }

    /// Starts again what ends by itself, until it is dropped.
    pub async fn watch(&self) {
        loop {
            for replica in self.shop.replicas() {
                // Whoever has the turn looks after it.
                let Some(_turn) = replica.try_turn() else {
                    continue;
                };
                let Some(status) = replica.has_ended() else {
                    continue;
                };
                self.journal.ended(replica, status);
                self.journal.trouble(format!(
                    "{} ended by itself: {status}\n{}",
                    replica.name(),
                    replica.log()
                ));
                if let Err(error) = self.bring_back(replica).await {
                    self.journal.trouble(format!("{error:#}"));
                }
            }
            sleep(WATCH_POLL).await;
        }
    }
}

fn is_abort(status: ExitStatus) -> bool {
    status.signal() == Some(SIGABRT)
}
