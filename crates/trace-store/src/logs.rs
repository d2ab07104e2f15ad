//! Log records, of which the oldest make room for new ones.

use std::collections::VecDeque;

use crate::{Bounds, Log};

#[derive(Debug)]
pub(crate) struct Logs {
    bounds: Bounds,
    all: VecDeque<Log>,
    bytes: usize,
    pub(crate) evicted: u64,
}

impl Logs {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            all: VecDeque::new(),
            bytes: 0,
            evicted: 0,
        }
    }

    pub(crate) fn add(&mut self, log: Log) {
        self.bytes += log.bytes();
        self.all.push_back(log);
        while self.all.len() > self.bounds.logs || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.all.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes();
            self.evicted += 1;
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Log> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
