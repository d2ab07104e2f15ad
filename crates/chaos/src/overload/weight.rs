//! Postgres as one program among others. Linux shares the processors alike
//! between sessions, and each connection of Postgres is a session of its own:
//! where all of them are on one machine a service gets a thirtieth. A database
//! on a machine of its own takes nothing from the services.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::shop::Shop;

/// Twenty sessions with it count for two without. With less Postgres itself becomes
/// slow.
pub(super) const NICE: u8 = 10;
/// Connections come and go.
const EVERY: Duration = Duration::from_secs(1);

/// As long as it lives.
pub(super) struct Weight(JoinHandle<()>);

impl Weight {
    pub(super) fn keep(shop: &Shop) -> Self {
        let cluster = shop.postgres.cluster();
        Self(tokio::spawn(async move {
            loop {
                sessions(&cluster).iter().for_each(|session| lower(session));
                tokio::time::sleep(EVERY).await;
            }
        }))
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The processes that the postmaster has started.
fn sessions(cluster: &Path) -> Vec<PathBuf> {
    let read = |file: PathBuf| std::fs::read_to_string(file).unwrap_or_default();
    let lock = read(cluster.join("postmaster.pid"));
    let postmaster = lock.lines().next().unwrap_or_default().trim();
    let children = read(format!("/proc/{postmaster}/task/{postmaster}/children").into());
    let children = children.split_whitespace();
    children.map(|pid| Path::new("/proc").join(pid)).collect()
}

/// A kernel that does not share by sessions has no such file.
fn lower(session: &Path) {
    let _ = std::fs::write(session.join("autogroup"), NICE.to_string());
}
