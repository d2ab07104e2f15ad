use serde::Serialize;
use serde_json::value::RawValue;

/// The `list` object: one page.
#[derive(Serialize)]
pub struct List {
    object: &'static str,
    data: Vec<Box<RawValue>>,
    has_more: bool,
    url: &'static str,
}

impl List {
    /// `data` may hold one more than `limit`: then there is more.
    pub fn page(mut data: Vec<Box<RawValue>>, limit: usize, url: &'static str) -> List {
        let has_more = data.len() > limit;
        data.truncate(limit);
        List {
            object: "list",
            data,
            has_more,
            url,
        }
    }
}
