//! How much is kept, so that no sender can fill the memory.

use serde::{Deserialize, Serialize};

/// What comes past a bound pushes out what is oldest.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub spans: usize,
    /// Of one trace: a trace without an end must not push out all others.
    pub spans_per_trace: usize,
    pub logs: usize,
    pub metric_series: usize,
    /// Of spans, and as much again of log records; roughly.
    pub bytes: usize,
    /// Of one attribute's value, or of the text of a log record: what is longer
    /// is cut.
    pub value_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of_spans(200_000)
    }
}

impl Bounds {
    pub fn of_spans(spans: usize) -> Self {
        Self {
            spans,
            spans_per_trace: (spans / 10).max(1),
            logs: 50_000,
            metric_series: 20_000,
            bytes: 512 << 20,
            value_bytes: 4_096,
        }
    }
}

/// Of one span or log record.
pub(crate) const ATTRIBUTES_MAX: usize = 128;
pub(crate) const EVENTS_MAX: usize = 128;
pub(crate) const LINKS_MAX: usize = 1_024;
/// Of a name or a key.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// Of one export, decompressed.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// What was sent and is not there, or not whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// Pushed out by newer ones.
    pub spans_evicted: u64,
    /// More than one trace may have.
    pub spans_beyond_trace: u64,
    /// Without valid ids.
    pub spans_rejected: u64,
    pub logs_evicted: u64,
    /// Points of series for which there was no place.
    pub points_dropped: u64,
    /// Names and values that were cut, and attributes, events and links past
    /// the number that one span may have.
    pub parts_cut: u64,
}

impl Losses {
    /// True when everything that arrived is there.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
