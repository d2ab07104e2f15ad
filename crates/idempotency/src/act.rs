//! Who did it: the entries of the audit log that belong to a batch.

use crate::keys::{Mark, Record};
use audit::{Entry, Outcome};
use database::Connection;

/// Every key that is written is an act; a replay writes none and is none.
pub(crate) async fn record(conn: &mut Connection, records: &[Record<'_>]) -> database::Result<()> {
    let created: Vec<Option<String>> = records.iter().map(created).collect();
    let entries: Vec<Entry<'_>> = records
        .iter()
        .zip(&created)
        .map(|(record, created)| entry(record, created.as_deref()))
        .collect();
    audit::record(conn, &entries).await
}

/// The resource of started work, unless the call itself names what it is about.
fn created(record: &Record<'_>) -> Option<String> {
    match (&record.request.origin.resource, &record.mark) {
        (None, Mark::Running(resource)) => Some(resource.to_string()),
        _ => None,
    }
}

fn entry<'a>(record: &'a Record<'_>, created: Option<&'a str>) -> Entry<'a> {
    let request = record.request;
    let origin = &request.origin;
    Entry {
        principal: &request.principal,
        client: origin.client.as_deref(),
        method: origin.rpc.unwrap_or(request.method),
        key: request.key.as_str(),
        resource: origin.resource.as_deref().or(created),
        outcome: match &record.mark {
            Mark::Running(_) => Outcome::Started,
            Mark::Done(saved) if saved.code == 0 => Outcome::Done,
            Mark::Done(saved) => Outcome::Refused {
                code: saved.code,
                status: &saved.body,
            },
        },
        trace_id: origin.trace_id.as_deref(),
    }
}
