//! The statements on `idempotency_keys` that [`once`](crate::once) needs.
//! `now()` is the start of the transaction, so look-up and record agree on
//! what has expired.

use crate::{
    Request, Saved,
    judge::{State, Stored},
};
use database::{Connection, Database};
use std::time::Duration;
use uuid::Uuid;

pub(crate) const RUNNING: i16 = 1;
pub(crate) const DONE: i16 = 2;

/// A key to be written with the effect.
pub(crate) struct Record<'a> {
    pub(crate) request: &'a Request,
    pub(crate) mark: Mark,
}

pub(crate) enum Mark {
    Done(Saved),
    Running(Uuid),
}

#[derive(sqlx::FromRow)]
struct Row {
    place: i64,
    fingerprint: Vec<u8>,
    resource: Option<Uuid>,
    lease_left_ms: Option<i64>,
    code: Option<i32>,
    body: Option<Vec<u8>>,
}

impl Row {
    fn state(self) -> database::Result<State> {
        match (self.code, self.body, self.resource) {
            (Some(code), Some(body), _) => Ok(State::Done(Saved { code, body })),
            (_, _, Some(resource)) => Ok(State::Running {
                resource,
                lease_left: self
                    .lease_left_ms
                    .and_then(|left| u64::try_from(left).ok())
                    .map(Duration::from_millis),
            }),
            // The table's check constraint leaves no third way.
            _ => Err(sqlx::Error::Decode("neither running nor done".into()).into()),
        }
    }
}

/// What is stored and has not expired, one entry per request.
pub(crate) async fn look_up(
    conn: &mut Connection,
    requests: &[&Request],
) -> database::Result<Vec<Option<Stored>>> {
    let (principals, methods, keys) = scopes(requests.iter().copied());
    let rows: Vec<Row> = sqlx::query_as(
        "select wanted.place, stored.fingerprint, stored.resource, stored.code, stored.body,
                case when stored.lease_until >= now()
                     then (extract(epoch from stored.lease_until - now()) * 1000)::bigint
                end as lease_left_ms
         from unnest($1::text[], $2::text[], $3::text[])
              with ordinality as wanted (principal, method, key, place)
         join idempotency_keys as stored using (principal, method, key)
         where stored.expires_at >= now()",
    )
    .bind(principals)
    .bind(methods)
    .bind(keys)
    .fetch_all(conn)
    .await?;

    let mut stored = vec![None; requests.len()];
    for row in rows {
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        if let Some(entry) = stored.get_mut(place) {
            *entry = Some(Stored {
                fingerprint: row.fingerprint.clone(),
                state: row.state()?,
            });
        }
    }
    Ok(stored)
}

/// Writes the keys, in one order everywhere; expired rows are replaced. Gives
/// the number written: fewer than asked for means that another transaction
/// recorded one of them meanwhile. Waits while another one holds such a key
/// uncommitted, up to `lock_timeout`.
pub(crate) async fn record(
    conn: &mut Connection,
    records: &[Record<'_>],
    kept_for: Duration,
    lease: Duration,
) -> database::Result<usize> {
    let (principals, methods, keys) = scopes(records.iter().map(|record| record.request));
    let mut fingerprints = Vec::with_capacity(records.len());
    let mut resources = Vec::with_capacity(records.len());
    let mut codes = Vec::with_capacity(records.len());
    let mut bodies = Vec::with_capacity(records.len());
    for record in records {
        fingerprints.push(record.request.fingerprint.as_slice());
        let (resource, code, body) = match &record.mark {
            Mark::Done(saved) => (None, Some(saved.code), Some(saved.body.as_slice())),
            Mark::Running(resource) => (Some(*resource), None, None),
        };
        resources.push(resource);
        codes.push(code);
        bodies.push(body);
    }
    let written = sqlx::query(
        "insert into idempotency_keys as stored
             (principal, method, key, fingerprint, resource, code, body,
              state, lease_until, expires_at)
         select principal, method, key, fingerprint, resource, code, body,
                case when resource is null then $8 else $9 end,
                case when resource is not null then now() + make_interval(secs => $10) end,
                now() + make_interval(secs => $11)
         from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::int[], $7::bytea[])
              as fresh (principal, method, key, fingerprint, resource, code, body)
         order by principal, method, key
         on conflict (principal, method, key) do update
         set fingerprint = excluded.fingerprint,
             resource = excluded.resource,
             code = excluded.code,
             body = excluded.body,
             state = excluded.state,
             lease_until = excluded.lease_until,
             created_at = excluded.created_at,
             expires_at = excluded.expires_at
         where stored.expires_at < now()",
    )
    .bind(principals)
    .bind(methods)
    .bind(keys)
    .bind(fingerprints)
    .bind(resources)
    .bind(codes)
    .bind(bodies)
    .bind(DONE)
    .bind(RUNNING)
    .bind(lease.as_secs_f64())
    .bind(kept_for.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(usize::try_from(written.rows_affected()).unwrap_or(usize::MAX))
}

/// The same in a transaction of its own. Only a planted bug does so.
pub(crate) async fn record_at_once(
    db: &Database,
    records: &[Record<'_>],
    kept_for: Duration,
    lease: Duration,
) -> database::Result<usize> {
    let mut tx = db.begin().await?;
    let written = record(&mut tx, records, kept_for, lease).await?;
    tx.commit().await?;
    Ok(written)
}

/// Takes lapsed work over, if it is still lapsed, and gives the work won. Keys
/// are locked in the order of (method, resource), as by [`finish`](crate::finish).
pub(crate) async fn take_over(
    conn: &mut Connection,
    mut lapsed: Vec<(&'static str, Uuid)>,
    lease: Duration,
) -> database::Result<Vec<Uuid>> {
    lapsed.sort_unstable();
    let (methods, resources): (Vec<_>, Vec<_>) = lapsed.into_iter().unzip();
    let won = sqlx::query_scalar(
        "update idempotency_keys as stored
         set lease_until = now() + make_interval(secs => $3)
         from unnest($1::text[], $2::uuid[]) as wanted (method, resource)
         where stored.method = wanted.method
           and stored.resource = wanted.resource
           and stored.state = $4
           and stored.lease_until < now()
         returning stored.resource",
    )
    .bind(methods)
    .bind(resources)
    .bind(lease.as_secs_f64())
    .bind(RUNNING)
    .fetch_all(conn)
    .await?;
    Ok(won)
}

type Scopes<'a> = (Vec<&'a str>, Vec<&'a str>, Vec<&'a str>);

fn scopes<'a>(requests: impl Iterator<Item = &'a Request>) -> Scopes<'a> {
    let mut scopes = Scopes::default();
    for request in requests {
        let (principal, method, key) = request.scope();
        scopes.0.push(principal);
        scopes.1.push(method);
        scopes.2.push(key);
    }
    scopes
}
