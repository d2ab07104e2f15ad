use crate::Event;
use database::Connection;

/// Writes events in the caller's transaction, which must hold the locks of
/// their aggregates. Of one aggregate they come in the order of `sequence`.
/// The caller commits, and then may [`wake`](crate::Wake::wake) the relay.
pub async fn append(conn: &mut Connection, events: &[Event]) -> database::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut ids = Vec::with_capacity(events.len());
    let mut topics = Vec::with_capacity(events.len());
    let mut kinds = Vec::with_capacity(events.len());
    let mut aggregates = Vec::with_capacity(events.len());
    let mut sequences = Vec::with_capacity(events.len());
    let mut payloads = Vec::with_capacity(events.len());
    let mut traceparents = Vec::with_capacity(events.len());
    for event in events {
        ids.push(event.id);
        topics.push(event.topic);
        kinds.push(event.kind);
        aggregates.push(event.aggregate);
        sequences.push(event.sequence);
        payloads.push(event.payload.as_slice());
        traceparents.push(event.traceparent.as_deref());
    }
    failpoint::reached!("outbox.event.before_record");
    // Identity values are given after the sort, in its order.
    sqlx::query(
        "insert into outbox (event_id, topic, kind, aggregate, sequence, payload, traceparent)
         select event_id, topic, kind, aggregate, sequence, payload, traceparent
         from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bytea[], $7::text[])
              with ordinality
              as fresh (event_id, topic, kind, aggregate, sequence, payload, traceparent, place)
         order by place",
    )
    .bind(ids)
    .bind(topics)
    .bind(kinds)
    .bind(aggregates)
    .bind(sequences)
    .bind(payloads)
    .bind(traceparents)
    .execute(conn)
    .await?;
    failpoint::reached!("outbox.event.after_record");
    Ok(())
}
