//! Makes each statement a span, and measures it.
//!
//! A statement outside of a span, or in one that is not sampled, has no span: one
//! that nobody will see would cost as much as one that is seen. It is measured
//! all the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use telemetry::metrics::KeyValue;
use telemetry::propagation::is_sampled;
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::metrics::{QUERIES, namespace};
use crate::statement::meaning;

/// The shop has a few hundred. Texts that are made at run time may be without
/// end: those that come later are known by their operation only.
const TEXTS_MAX: usize = 2_000;

const CANCELLED: &str = "cancelled";

/// Watches the statements that are sent to one database.
#[derive(Debug)]
pub(crate) struct Watch {
    namespace: KeyValue,
    known: RwLock<HashMap<Box<str>, Arc<Known>>>,
}

/// What is said of each run of one statement.
#[derive(Debug)]
struct Known {
    name: String,
    operation: &'static str,
    table: Option<String>,
    labels: Vec<KeyValue>,
}

/// A statement on its way. Dropped before it has ended, it was cancelled.
#[derive(Debug)]
pub(crate) struct Running {
    known: Arc<Known>,
    span: Span,
    started: Instant,
    rows: u64,
    has_ended: bool,
}

impl Watch {
    /// `database` is its name.
    pub(crate) fn new(database: &str) -> Arc<Self> {
        Arc::new(Self {
            namespace: namespace(database),
            known: RwLock::default(),
        })
    }

    pub(crate) fn namespace(&self) -> &KeyValue {
        &self.namespace
    }

    /// Under the current span. Enter [`Running::span`] while it runs.
    pub(crate) fn begin(&self, text: &str) -> Running {
        let known = self.known(text);
        let span = match is_sampled(&Span::current()) {
            true => known.span(&self.namespace),
            false => Span::none(),
        };
        Running {
            known,
            span,
            started: Instant::now(),
            rows: 0,
            has_ended: false,
        }
    }

    fn known(&self, text: &str) -> Arc<Known> {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(text) {
            return known.clone();
        }
        drop(all);
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = all.len() >= TEXTS_MAX;
        let known = Arc::new(Known::new(text, !is_full, &self.namespace));
        if !is_full {
            all.insert(text.into(), known.clone());
        }
        known
    }
}

impl Known {
    fn new(text: &str, with_table: bool, namespace: &KeyValue) -> Self {
        let meaning = meaning(text);
        let operation = meaning.operation;
        let table = meaning.table.filter(|_| with_table).map(str::to_owned);
        let mut labels = vec![
            namespace.clone(),
            KeyValue::new("db.operation.name", operation),
        ];
        if let Some(table) = &table {
            labels.push(KeyValue::new("db.collection.name", table.clone()));
        }
        let name = match &table {
            Some(table) => format!("{operation} {table}"),
            None => operation.to_owned(),
        };
        Self {
            name,
            operation,
            table,
            labels,
        }
    }

    fn span(&self, namespace: &KeyValue) -> Span {
        info_span!(
            "sql",
            otel.name = self.name,
            otel.kind = "client",
            otel.status_code = Empty,
            db.system.name = "postgresql",
            db.namespace = %namespace.value,
            db.operation.name = self.operation,
            db.collection.name = self.table,
            db.response.status_code = Empty,
            db.response.returned_rows = Empty,
            error.type = Empty,
        )
    }
}

impl Running {
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Rows that came, or that the server says to have changed.
    pub(crate) fn has_rows(&mut self, rows: u64) {
        self.rows = rows;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Runs it to its end.
    pub(crate) async fn finish<T>(
        mut self,
        statement: impl Future<Output = sqlx::Result<T>>,
        rows: impl FnOnce(&T) -> u64,
    ) -> sqlx::Result<T> {
        let result = statement.instrument(self.span.clone()).await;
        if let Ok(value) = &result {
            self.has_rows(rows(value));
        }
        self.end(result.as_ref().err());
        result
    }

    /// Once: what comes later is not heard.
    pub(crate) fn end(&mut self, error: Option<&sqlx::Error>) {
        let code = error.and_then(sqlx::Error::as_database_error);
        if let Some(code) = code.and_then(|error| error.code()) {
            self.span.record("db.response.status_code", &*code);
        }
        self.end_as(error.map(kind));
    }

    fn end_as(&mut self, error: Option<Cow<'_, str>>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        // It ends here, though whoever awaited it may keep it for longer.
        let span = std::mem::replace(&mut self.span, Span::none());
        let _entered = span.enter();
        let seconds = self.started.elapsed().as_secs_f64();
        let Some(error) = error else {
            span.record("db.response.returned_rows", self.rows);
            return QUERIES.record(seconds, &self.known.labels);
        };
        span.record("error.type", &*error);
        span.record("otel.status_code", "ERROR");
        let mut labels = self.known.labels.clone();
        labels.push(KeyValue::new("error.type", error.into_owned()));
        QUERIES.record(seconds, &labels);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_as(Some(CANCELLED.into()));
    }
}

/// The SQLSTATE, or where else it failed. Never the message, which may tell what
/// is in the row.
fn kind(error: &sqlx::Error) -> Cow<'_, str> {
    match error {
        sqlx::Error::Database(error) => error.code().unwrap_or("database".into()),
        sqlx::Error::Io(_) => "io".into(),
        sqlx::Error::Tls(_) => "tls".into(),
        sqlx::Error::Protocol(_) => "protocol".into(),
        sqlx::Error::Encode(_) => "encode".into(),
        sqlx::Error::WorkerCrashed => "worker_crashed".into(),
        _ => "other".into(),
    }
}
