//! A refund: money on its way back to the customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::intent::Intent;
use crate::methods::Quirk;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub sequence: u64,
    pub created: i64,
    pub intent: String,
    pub charge: Option<String>,
    pub amount_minor: i64,
    pub currency: String,
    pub state: RefundState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    Pending { settles_at_ms: i64, succeeds: bool },
    Succeeded,
    Failed,
}

impl RefundState {
    pub fn as_str(self) -> &'static str {
        match self {
            RefundState::Pending { .. } => "pending",
            RefundState::Succeeded => "succeeded",
            RefundState::Failed => "failed",
        }
    }

    /// The state in which a refund of this intent begins.
    pub fn first(intent: &Intent, settles_at_ms: i64) -> RefundState {
        match intent.quirk() {
            Quirk::RefundPending => RefundState::Pending {
                settles_at_ms,
                succeeds: true,
            },
            Quirk::RefundFails => RefundState::Pending {
                settles_at_ms,
                succeeds: false,
            },
            _ => RefundState::Succeeded,
        }
    }
}
