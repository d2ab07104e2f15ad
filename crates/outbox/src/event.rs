use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Something that became true.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: Uuid,
    /// The name of the stream, with the version: `cartwright.order.v1`.
    pub topic: &'static str,
    /// Past tense: `placed`.
    pub kind: &'static str,
    pub aggregate: Uuid,
    /// Of the aggregate, from 1 without gaps, taken while it is locked.
    pub sequence: i64,
    /// Encoded protobuf.
    pub payload: Vec<u8>,
    /// Ties whoever consumes the event to the trace of the request.
    pub traceparent: Option<String>,
}

/// An event as a consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: Uuid,
    pub topic: String,
    pub kind: String,
    pub aggregate: Uuid,
    pub sequence: i64,
    /// The time of the transaction that made it true, by its database.
    pub time: DateTime<Utc>,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
}
