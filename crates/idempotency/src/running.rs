//! Work that goes on after the call that started it: closing and extending it.

use crate::{
    Saved,
    keys::{DONE, RUNNING},
};
use database::Connection;
use std::time::Duration;
use uuid::Uuid;

/// Closes running keys in the transaction that makes the answers true, and
/// gives the answers that now count, in order. A key that is closed already
/// keeps its first answer; where no key is, as after expiry, the given one is
/// returned. The caller commits.
pub async fn finish(
    conn: &mut Connection,
    answers: &[(&'static str, Uuid, Saved)],
) -> database::Result<Vec<Saved>> {
    // Keys are locked in one order everywhere.
    let mut sorted: Vec<_> = answers.iter().collect();
    sorted.sort_by_key(|(method, resource, _)| (*method, *resource));
    sorted.dedup_by_key(|(method, resource, _)| (*method, *resource));
    if sorted.is_empty() {
        return Ok(Vec::new());
    }
    let closed = failpoint::around!("idempotency.keys", "finish", close(conn, &sorted).await)?;
    let mut stored: Vec<_> = answers.iter().map(|(_, _, saved)| saved.clone()).collect();
    if closed < answers.len() {
        for (place, saved) in find(conn, answers).await? {
            if let Some(entry) = stored.get_mut(place) {
                *entry = saved;
            }
        }
    }
    Ok(stored)
}

type Closing = (&'static str, Uuid, Saved);

async fn close(conn: &mut Connection, answers: &[&Closing]) -> database::Result<usize> {
    let mut methods = Vec::with_capacity(answers.len());
    let mut resources = Vec::with_capacity(answers.len());
    let mut codes = Vec::with_capacity(answers.len());
    let mut bodies = Vec::with_capacity(answers.len());
    for (method, resource, saved) in answers {
        methods.push(*method);
        resources.push(*resource);
        codes.push(saved.code);
        bodies.push(saved.body.as_slice());
    }
    let closed = sqlx::query(
        "update idempotency_keys as stored
         set state = $5, lease_until = null, code = given.code, body = given.body
         from unnest($1::text[], $2::uuid[], $3::int[], $4::bytea[])
              as given (method, resource, code, body)
         where stored.method = given.method
           and stored.resource = given.resource
           and stored.state = $6",
    )
    .bind(methods)
    .bind(resources)
    .bind(codes)
    .bind(bodies)
    .bind(DONE)
    .bind(RUNNING)
    .execute(conn)
    .await?;
    Ok(usize::try_from(closed.rows_affected()).unwrap_or(usize::MAX))
}

async fn find(conn: &mut Connection, answers: &[Closing]) -> database::Result<Vec<(usize, Saved)>> {
    let (methods, resources): (Vec<_>, Vec<_>) = answers
        .iter()
        .map(|(method, resource, _)| (*method, *resource))
        .unzip();
    let rows: Vec<(i64, i32, Vec<u8>)> = sqlx::query_as(
        "select given.place, stored.code, stored.body
         from unnest($1::text[], $2::uuid[]) with ordinality as given (method, resource, place)
         join idempotency_keys as stored using (method, resource)
         where stored.state = $3",
    )
    .bind(methods)
    .bind(resources)
    .bind(DONE)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(place, code, body)| {
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            (place, Saved { code, body })
        })
        .collect())
}

/// Renews the leases of running work, so that nobody takes it over. One that has
/// run out or [`lapse`]d stays so; work that was finished has none. What is locked
/// is being finished, or renewed.
pub async fn extend(
    conn: &mut Connection,
    work: &[(&'static str, Uuid)],
    lease: Duration,
) -> database::Result<()> {
    let (methods, resources): (Vec<_>, Vec<_>) = work.iter().copied().unzip();
    sqlx::query(
        "with ours as materialized (
             select stored.principal, stored.method, stored.key
             from unnest($1::text[], $2::uuid[]) as given (method, resource)
             join idempotency_keys as stored using (method, resource)
             where stored.state = $4
               and stored.lease_until > clock_timestamp()
             for no key update of stored skip locked
         )
         update idempotency_keys as stored
         set lease_until = now() + make_interval(secs => $3)
         from ours
         where stored.principal = ours.principal
           and stored.method = ours.method
           and stored.key = ours.key",
    )
    .bind(methods)
    .bind(resources)
    .bind(lease.as_secs_f64())
    .bind(RUNNING)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the lease of running work at once: its caller gives up without an
/// answer, and the next call with the key goes on with it.
pub async fn lapse(
    conn: &mut Connection,
    method: &'static str,
    resource: Uuid,
) -> database::Result<()> {
    sqlx::query(
        "update idempotency_keys
         set lease_until = now() - interval '1 microsecond'
         where method = $1
           and resource = $2
           and state = $3",
    )
    .bind(method)
    .bind(resource)
    .bind(RUNNING)
    .execute(conn)
    .await?;
    Ok(())
}
