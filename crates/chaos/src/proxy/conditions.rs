//! How a network behaves.

use std::fmt;
use std::time::Duration;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From who connected to the target.
    There,
    Back,
}

/// By default as if there were no proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Conditions {
    /// Each way.
    pub latency: Duration,
    /// Up to so much more latency, anew for each piece; what was sent first
    /// arrives first.
    pub jitter: Duration,
    /// Nothing arrives at the target; what was sent does when this ends, as by
    /// TCP's own repetition.
    pub hold_there: bool,
    /// Nothing arrives at who connected.
    pub hold_back: bool,
    /// Each way.
    pub bytes_per_second: Option<u32>,
    /// Nobody listens. What is connected stays so.
    pub refuse: bool,
}

impl Conditions {
    pub(super) fn holds(&self, way: Way) -> bool {
        match way {
            Way::There => self.hold_there,
            Way::Back => self.hold_back,
        }
    }

    pub(super) fn holds_any(&self) -> bool {
        self.hold_there || self.hold_back
    }

    pub(super) fn delay(&self) -> Duration {
        let most = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.latency + Duration::from_micros(rand::random_range(0..=most))
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        if !self.latency.is_zero() || !self.jitter.is_zero() {
            said.push(format!("late by {:?} ± {:?}", self.latency, self.jitter));
        }
        if self.hold_there {
            said.push("nothing there".to_owned());
        }
        if self.hold_back {
            said.push("nothing back".to_owned());
        }
        if let Some(rate) = self.bytes_per_second {
            said.push(format!("{rate} bytes a second"));
        }
        if self.refuse {
            said.push("refusing".to_owned());
        }
        f.write_str(&said.join(", "))
    }
}
