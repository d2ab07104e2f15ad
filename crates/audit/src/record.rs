use database::Connection;
use prost::Message;
use tonic_types::pb;

/// One act, as it is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub principal: &'a str,
    /// Whom the principal's token was issued to.
    pub client: Option<&'a str>,
    /// `package.Service/Method`.
    pub method: &'a str,
    pub key: &'a str,
    /// What it was done to.
    pub resource: Option<&'a str>,
    pub outcome: Outcome<'a>,
    pub trace_id: Option<&'a str>,
}

/// What became of an act.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    Done,
    /// The work goes on after this transaction; what comes of it is told by its
    /// resource.
    Started,
    /// One of many things that a call did, and which.
    Part(&'a str),
    /// Refused for good.
    Refused {
        code: i32,
        /// The encoded `google.rpc.Status`.
        status: &'a [u8],
    },
}

impl Outcome<'_> {
    fn code(&self) -> i32 {
        match self {
            Self::Done | Self::Started | Self::Part(_) => 0,
            Self::Refused { code, .. } => *code,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Done => "OK".to_owned(),
            Self::Started => "STARTED".to_owned(),
            Self::Part(what) => (*what).to_owned(),
            Self::Refused { code, status } => {
                reason(status).unwrap_or_else(|| format!("CODE_{code}"))
            }
        }
    }
}

fn reason(status: &[u8]) -> Option<String> {
    let status = pb::Status::decode(status).ok()?;
    let mut details = status.details.iter();
    let info = details.find(|detail| detail.type_url.ends_with("/google.rpc.ErrorInfo"))?;
    let info = pb::ErrorInfo::decode(info.value.as_slice()).ok()?;
    Some(info.reason).filter(|reason| !reason.is_empty())
}

/// Appends `entries`, all in one statement. The caller commits.
pub async fn record(conn: &mut Connection, entries: &[Entry<'_>]) -> database::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let of = |part: fn(&Entry<'_>) -> Option<String>| -> Vec<Option<String>> {
        entries.iter().map(part).collect()
    };
    let codes: Vec<i32> = entries.iter().map(|entry| entry.outcome.code()).collect();
    sqlx::query(
        "insert into audit_log
             (principal, client, method, idempotency_key, resource, code, outcome, trace_id)
         select principal, client, method, idempotency_key, resource, code, outcome, trace_id
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                     $6::int[], $7::text[], $8::text[])
              with ordinality
              as fresh (principal, client, method, idempotency_key, resource,
                        code, outcome, trace_id, place)
         order by place",
    )
    .bind(of(|entry| Some(entry.principal.to_owned())))
    .bind(of(|entry| entry.client.map(str::to_owned)))
    .bind(of(|entry| Some(entry.method.to_owned())))
    .bind(of(|entry| Some(entry.key.to_owned())))
    .bind(of(|entry| entry.resource.map(str::to_owned)))
    .bind(codes)
    .bind(of(|entry| Some(entry.outcome.text())))
    .bind(of(|entry| entry.trace_id.map(str::to_owned)))
    .execute(conn)
    .await?;
    Ok(())
}
