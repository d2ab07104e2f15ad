//! What each process of the shop holds in memory, while it is under load.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::shop::Shop;

const EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Resident {
    /// Under little load.
    pub(super) before_mib: f64,
    pub(super) most_mib: f64,
    pub(super) after_mib: f64,
}

type Seen = Arc<Mutex<BTreeMap<String, Resident>>>;

pub(super) struct Memory {
    seen: Seen,
    task: JoinHandle<()>,
}

impl Memory {
    pub(super) fn watch(shop: &Shop) -> Self {
        let replicas: Vec<_> = shop.replicas().to_vec();
        let seen = Seen::default();
        let into = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                for replica in &replicas {
                    let Some(now) = replica.pid().and_then(resident_mib) else {
                        continue;
                    };
                    let mut seen = into.lock();
                    let entry = seen.entry(replica.name()).or_insert(Resident {
                        before_mib: now,
                        ..Resident::default()
                    });
                    entry.most_mib = entry.most_mib.max(now);
                    entry.after_mib = now;
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { seen, task }
    }

    pub(super) async fn end(self) -> BTreeMap<String, Resident> {
        tokio::time::sleep(EVERY * 2).await;
        self.task.abort();
        self.seen.lock().clone()
    }
}

/// As the kernel counts it.
fn resident_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
