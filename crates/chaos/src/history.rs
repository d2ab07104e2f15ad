//! What clients asked and what they were told: the half of the truth that no
//! database of the shop has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufWriter, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Everything that happened between the clients and the shop.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub seed: u64,
    /// Stock on hand before the first call, by SKU.
    pub opening: BTreeMap<String, i64>,
    /// What one unit costs, in minor units of [`CURRENCY`], by SKU.
    pub prices: BTreeMap<String, i64>,
    /// In the order of their ends.
    pub entries: Vec<Entry>,
    /// What those who followed an order saw.
    pub watched: Vec<Watched>,
    /// Sequences of stock movements, in the order in which they were seen.
    pub movements: Vec<i64>,
    /// Entries of the Redis streams as they appeared.
    pub published: Vec<Published>,
    /// Calls that arrived while too many were under way.
    pub not_sent: u64,
}

pub const CURRENCY: &str = "GBP";

/// One call: its first try, and its repeats until the outcome was known.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Of the arrival. A return is two calls of one arrival.
    pub number: u64,
    pub asked: Asked,
    pub key: String,
    /// The same key was used before, in an entry of its own.
    pub repeat: bool,
    pub intended: DateTime<Utc>,
    pub sent: DateTime<Utc>,
    pub answered: DateTime<Utc>,
    pub attempts: u32,
    pub told: Told,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Asked {
    Create(NewOrder),
    Cancel {
        order: String,
    },
    /// No lines: everything that has not shipped.
    Fulfil {
        order: String,
        lines: Vec<Units>,
    },
    AnnounceReturn {
        order: String,
        lines: Vec<Units>,
        restock: bool,
    },
    ReceiveReturn {
        order: String,
        id: String,
    },
    Refund {
        order: String,
        amount_minor: i64,
    },
    Adjust {
        sku: String,
        delta: i64,
    },
    /// The customer does at the provider what the payment needs.
    Act {
        order: String,
        intent: String,
        passes: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewOrder {
    pub customer: String,
    pub lines: Vec<Wanted>,
    pub payment_method: String,
    pub manual_capture: bool,
    /// Answer when it is stored, not when it is decided.
    pub accepted_is_enough: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    pub sku: String,
    pub quantity: i64,
}

/// A quantity of one line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Units {
    pub line: i32,
    pub quantity: i64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    Ok {
        answer: Answer,
        /// Of all bytes of the answer.
        fingerprint: u64,
    },
    Refused {
        reason: String,
        message: String,
        /// The order that was rejected, if the answer names one.
        order: Option<String>,
    },
    /// Turned away each time before anything was done.
    Shed { reason: String },
    /// It may have been done.
    Unknown { error: String },
}

/// What is essential in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Order(OrderSeen),
    Work(WorkSeen),
    OnHand(i64),
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderSeen {
    pub id: String,
    /// As in the contract, without its prefix: `CONFIRMED`.
    pub state: String,
    pub total_minor: Option<i64>,
    pub lines: Vec<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkSeen {
    pub id: String,
    pub order: String,
    /// As in the contract, without its prefix: `DONE`.
    pub state: String,
    pub amount_minor: Option<i64>,
}

/// What one follower of an order saw, over all its connections.
#[derive(Debug, Clone, Serialize)]
pub struct Watched {
    pub order: String,
    pub events: Vec<(i64, String)>,
    pub connections: u32,
}

/// An entry of a Redis stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Published {
    pub topic: String,
    pub event: String,
    pub aggregate: String,
    pub sequence: i64,
}

impl Told {
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }

    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Ok { answer, .. } => Some(answer),
            Self::Refused { .. } | Self::Shed { .. } | Self::Unknown { .. } => None,
        }
    }

    /// In one line.
    pub fn words(&self) -> String {
        match self {
            Self::Ok { answer, .. } => match answer {
                Answer::Order(order) => format!("ok, the order is {}", order.state),
                Answer::Work(work) => format!("ok, {} is {}", work.id, work.state),
                Answer::OnHand(units) => format!("ok, {units} on hand"),
                Answer::Done => "ok".to_owned(),
            },
            Self::Refused { reason, .. } => format!("refused: {reason}"),
            Self::Shed { reason } => format!("turned away: {reason}"),
            Self::Unknown { error } => format!("unknown: {error}"),
        }
    }
}

impl Asked {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Cancel { .. } => "cancel",
            Self::Fulfil { .. } => "fulfil",
            Self::AnnounceReturn { .. } => "announce-return",
            Self::ReceiveReturn { .. } => "receive-return",
            Self::Refund { .. } => "refund",
            Self::Adjust { .. } => "adjust",
            Self::Act { .. } => "act",
        }
    }

    /// The order that it is about, unless it makes one.
    pub fn order(&self) -> Option<&str> {
        match self {
            Self::Create(_) | Self::Adjust { .. } => None,
            Self::Cancel { order }
            | Self::Fulfil { order, .. }
            | Self::AnnounceReturn { order, .. }
            | Self::ReceiveReturn { order, .. }
            | Self::Refund { order, .. }
            | Self::Act { order, .. } => Some(order),
        }
    }
}

impl Entry {
    /// The order that it is about or that it made.
    pub fn order(&self) -> Option<&str> {
        if let Some(order) = self.asked.order() {
            return Some(order);
        }
        match &self.told {
            Told::Ok {
                answer: Answer::Order(order),
                ..
            } => Some(&order.id),
            Told::Refused { order, .. } => order.as_deref(),
            Told::Ok { .. } | Told::Shed { .. } | Told::Unknown { .. } => None,
        }
    }

    pub fn order_seen(&self) -> Option<&OrderSeen> {
        match self.told.answer() {
            Some(Answer::Order(order)) => Some(order),
            _ => None,
        }
    }

    pub fn work_seen(&self) -> Option<&WorkSeen> {
        match self.told.answer() {
            Some(Answer::Work(work)) => Some(work),
            _ => None,
        }
    }
}

impl History {
    /// Orders that somebody has asked to cancel, whatever was told.
    pub fn cancels(&self) -> BTreeSet<&str> {
        let asked = self.entries.iter().map(|entry| &entry.asked);
        asked
            .filter_map(|asked| match asked {
                Asked::Cancel { order } => Some(order.as_str()),
                _ => None,
            })
            .collect()
    }

    /// All calls of each key, in the order of their ends.
    pub fn by_key(&self) -> HashMap<&str, Vec<&Entry>> {
        let mut keys: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in &self.entries {
            keys.entry(&entry.key).or_default().push(entry);
        }
        keys
    }

    /// One call a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        for entry in &self.entries {
            serde_json::to_writer(&mut out, entry)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}
