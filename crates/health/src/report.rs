//! The answer, with the name and state of each thing that was looked at.

use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ok: bool,
    /// By name of the latch or probe.
    pub checks: BTreeMap<&'static str, Check>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum Check {
    Ok,
    /// A latch that is held.
    Waiting,
    Draining,
    Failed(String),
}

impl Report {
    pub(crate) fn of(checks: impl IntoIterator<Item = (&'static str, Check)>) -> Self {
        let checks: BTreeMap<_, _> = checks.into_iter().collect();
        let ok = checks.values().all(|check| *check == Check::Ok);
        Self { ok, checks }
    }
}
