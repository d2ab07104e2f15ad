//! Where the processes of a laptop or a test send their telemetry: takes OTLP
//! over gRPC and HTTP and keeps the newest spans, log records and metrics in
//! memory, within bounds.
//!
//! A tool for development. It asks nobody who they are, writes nothing to the
//! disk, and knows nothing of the shop but the names of two attributes:
//! `order.id`, by which traces are found, and `batch.size`, which is on spans
//! that work for many. Where telemetry must last, a real collector takes its
//! place.

mod bounds;
mod found;
mod grpc;
mod http;
mod ids;
mod logs;
mod metrics;
mod model;
mod query;
mod read;
mod server;
mod store;
mod traces;

pub use bounds::{Bounds, Losses};
pub use found::{Found, FoundSpan};
pub use ids::{Id, SpanId, TraceId};
pub use metrics::{Metric, MetricKind, Series};
pub use model::{Attributes, Event, Kind, Link, Log, Span, Status, StatusCode};
pub use server::{Bound, Endpoints, Error, bind};
pub use store::{Summary, TraceStore};

/// The attribute that names the order for which a span works.
pub const ORDER_ID: &str = "order.id";

/// The attribute of a span that works for many callers. What it links to are
/// those callers, who link to it.
pub const BATCH_SIZE: &str = "batch.size";
