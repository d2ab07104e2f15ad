//! Faults for every call, set at run time by a test: delays, refusals before
//! anything is booked, answers that get lost, webhooks that come twice or late.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// What a caller can ask for; the name under which a fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    CreatePaymentIntent,
    RetrievePaymentIntent,
    ListPaymentIntents,
    ConfirmPaymentIntent,
    CapturePaymentIntent,
    CancelPaymentIntent,
    CreateRefund,
    RetrieveRefund,
    ListRefunds,
}

/// How an answer gets lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The connection is closed without an answer.
    #[default]
    Drop,
    /// The connection stays open and nothing comes.
    Hang,
}

/// The faults in force. The counts fall with each call that meets them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSet {
    /// Before anything else, on every call.
    pub delay_ms: u64,
    /// So many calls are refused with 500 before anything is booked.
    pub refuse: BTreeMap<Operation, u32>,
    /// So many calls are carried out and their answers lost.
    pub lose_answers: BTreeMap<Operation, u32>,
    pub lose_by: Loss,
    /// Copies of each webhook, sent at once; 0 and 1 mean one.
    pub webhook_copies: u32,
    /// Each webhook waits for a random time up to this, so that they overtake.
    pub webhook_reorder_ms: u64,
}

#[derive(Default)]
pub struct Faults(Mutex<FaultSet>);

impl Faults {
    pub fn set(&self, faults: FaultSet) {
        *self.0.lock() = faults;
    }

    pub fn get(&self) -> FaultSet {
        self.0.lock().clone()
    }

    pub fn delay_ms(&self) -> u64 {
        self.0.lock().delay_ms
    }

    pub fn refuses(&self, operation: Operation) -> bool {
        take_one(&mut self.0.lock().refuse, operation)
    }

    pub fn loses_answer(&self, operation: Operation) -> Option<Loss> {
        let mut faults = self.0.lock();
        take_one(&mut faults.lose_answers, operation).then_some(faults.lose_by)
    }

    pub fn webhook_copies(&self) -> u32 {
        self.0.lock().webhook_copies.max(1)
    }

    pub fn webhook_reorder_ms(&self) -> u64 {
        self.0.lock().webhook_reorder_ms
    }
}

fn take_one(counts: &mut BTreeMap<Operation, u32>, operation: Operation) -> bool {
    match counts.get_mut(&operation) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}
