//! `ListAuditEntries`, which is the same in every service.

use api::common::v1 as pb;
use audit::{Filter, Recorded};

use crate::{Fields, Pages, Problem};

const NAME_CHARS_MAX: usize = 255;

/// A page of the audit log, as it is asked for.
#[derive(Debug)]
pub struct AuditPage {
    pub filter: Filter,
    /// Only entries older than this one.
    pub before: Option<i64>,
    size: i64,
    list: String,
}

impl AuditPage {
    /// # Errors
    /// `INVALID_FIELD` and `PAGE_TOKEN_INVALID`.
    pub fn parse(request: &pb::ListAuditEntriesRequest, pages: &Pages) -> Result<Self, Problem> {
        let mut fields = Fields::default();
        let principal = fields.text("principal", &request.principal, NAME_CHARS_MAX);
        let method = fields.text("method", &request.method, NAME_CHARS_MAX);
        let (principal, method) = fields.finish(principal.zip(method))?;
        let list = format!("audit {principal:?} {method:?}");
        let given = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            filter: Filter {
                principal: given(principal),
                method: given(method),
            },
            before: pages.decode(&list, &request.page_token)?,
            size: pages.size(request.page_size)?,
            list,
        })
    }

    /// How many entries to read: one more than the page has, to know of a next.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }

    pub fn render(
        &self,
        mut entries: Vec<Recorded>,
        pages: &Pages,
    ) -> pb::ListAuditEntriesResponse {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let is_more = entries.len() > size;
        entries.truncate(size);
        let last = entries.last().filter(|_| is_more).map(|last| last.id);
        pb::ListAuditEntriesResponse {
            next_page_token: last.map_or_else(String::new, |id| pages.encode(&self.list, &id)),
            entries: entries.into_iter().map(entry).collect(),
        }
    }
}

fn entry(entry: Recorded) -> pb::AuditEntry {
    pb::AuditEntry {
        id: entry.id,
        time: Some(api::to_timestamp(entry.recorded_at)),
        principal: entry.principal,
        client: entry.client.unwrap_or_default(),
        method: entry.method,
        idempotency_key: entry.idempotency_key,
        outcome: entry.outcome,
        trace_id: entry.trace_id.unwrap_or_default(),
        resource: entry.resource.unwrap_or_default(),
    }
}
