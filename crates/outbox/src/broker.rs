//! Redis Streams: publishing, reading as a group, acknowledging.

use crate::{Received, spans::Publishing};
use chrono::{DateTime, SecondsFormat, Utc};
use redis::{
    AsyncCommands, AsyncConnectionConfig, FromRedisValue, RedisResult, Value,
    streams::{
        StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply,
    },
};
use redis_connection::{Connection, Redis};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

const CONNECTS_WITHIN: Duration = Duration::from_millis(200);
/// A pipeline of hundreds of entries; no caller waits for it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How long a read waits on the server for new entries.
const READ_BLOCKS: Duration = Duration::from_secs(1);
const READ_MAX: usize = 100;

/// A row of the outbox, on its way.
#[derive(sqlx::FromRow)]
pub(crate) struct Outgoing {
    pub(crate) position: i64,
    pub(crate) event_id: Uuid,
    pub(crate) topic: String,
    pub(crate) kind: String,
    pub(crate) aggregate: Uuid,
    sequence: i64,
    payload: Vec<u8>,
    pub(crate) traceparent: Option<String>,
    created_at: DateTime<Utc>,
}

/// A connection of one worker only, so that a blocking read blocks nobody.
/// After an error, or when it is outdated, it is of no more use.
pub(crate) struct Broker {
    redis: Redis,
    conn: Connection,
}

/// An entry as it was read: its id, and the event if it is one.
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) event: Option<Received>,
}

/// What a group read from.
pub(crate) struct Subscription<'a> {
    pub(crate) stream: &'a str,
    pub(crate) group: &'a str,
    pub(crate) consumer: &'a str,
}

impl Broker {
    pub(crate) async fn connect(redis: &Redis) -> RedisResult<Self> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            .set_response_timeout(Some(READ_BLOCKS + ANSWERS_WITHIN));
        let conn = redis.connect(&config).await?;
        let redis = redis.clone();
        Ok(Self { redis, conn })
    }

    /// Redis has got another address or password since.
    pub(crate) fn is_outdated(&self) -> bool {
        self.redis.has_outdated(&self.conn)
    }

    /// Adds the events to their streams, in order. After an error any part of
    /// them may have been added.
    pub(crate) async fn publish(&mut self, events: &[Outgoing], keep: u64) -> RedisResult<()> {
        let mut pipeline = redis::pipe();
        let mut publishing = Vec::with_capacity(events.len());
        for event in events {
            let published = Publishing::begin(event);
            let time = event
                .created_at
                .to_rfc3339_opts(SecondsFormat::Micros, true);
            let add = pipeline
                .cmd("XADD")
                .arg(&event.topic)
                .arg(("MAXLEN", "~", keep, "*"))
                .arg(("id", event.event_id.to_string()))
                .arg(("type", format!("{}.{}", event.topic, event.kind)))
                .arg(("aggregate", event.aggregate.to_string()))
                .arg(("sequence", event.sequence))
                .arg(("time", time));
            let traceparent = published.traceparent();
            if let Some(traceparent) = traceparent.as_ref().or(event.traceparent.as_ref()) {
                add.arg(("traceparent", traceparent));
            }
            add.arg(("payload", event.payload.as_slice())).ignore();
            publishing.push(published);
        }
        let published = pipeline.query_async(&mut *self.conn).await;
        if published.is_err() {
            publishing.iter().for_each(Publishing::failed);
        }
        published
    }

    /// A new group begins with the oldest entry that is still kept.
    pub(crate) async fn create_group(&mut self, of: &Subscription<'_>) -> RedisResult<()> {
        let created: RedisResult<()> = self
            .conn
            .xgroup_create_mkstream(of.stream, of.group, "0")
            .await;
        match created {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            created => created,
        }
    }

    /// Takes over what was read and never acknowledged, by whomever, from
    /// `start` on. Gives the next start; `None` at the end.
    pub(crate) async fn claim(
        &mut self,
        of: &Subscription<'_>,
        start: &str,
    ) -> RedisResult<(Vec<Entry>, Option<String>)> {
        let options = StreamAutoClaimOptions::default().count(READ_MAX);
        let reply: StreamAutoClaimReply = self
            .conn
            .xautoclaim_options(of.stream, of.group, of.consumer, 0, start, options)
            .await?;
        let entries = reply
            .claimed
            .into_iter()
            .map(|entry| Entry::of(of.stream, entry))
            .collect();
        let next = Some(reply.next_stream_id).filter(|next| next != "0-0");
        Ok((entries, next))
    }

    /// Waits up to a second for new entries.
    pub(crate) async fn read(&mut self, of: &Subscription<'_>) -> RedisResult<Vec<Entry>> {
        let options = StreamReadOptions::default()
            .group(of.group, of.consumer)
            .count(READ_MAX)
            .block(usize::try_from(READ_BLOCKS.as_millis()).unwrap_or(usize::MAX));
        let reply: Option<StreamReadReply> = self
            .conn
            .xread_options(&[of.stream], &[">"], &options)
            .await?;
        Ok(reply
            .into_iter()
            .flat_map(|reply| reply.keys)
            .flat_map(|key| key.ids)
            .map(|entry| Entry::of(of.stream, entry))
            .collect())
    }

    pub(crate) async fn acknowledge(
        &mut self,
        of: &Subscription<'_>,
        ids: &[String],
    ) -> RedisResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let acknowledged = self.conn.xack(of.stream, of.group, ids);
        failpoint::around!("outbox.delivery", "acknowledge", acknowledged.await)
    }
}

impl Entry {
    fn of(stream: &str, entry: StreamId) -> Self {
        Self {
            event: parse(stream, &entry.map),
            id: entry.id,
        }
    }
}

/// `None` when the entry is no event.
pub fn parse(stream: &str, fields: &HashMap<String, Value>) -> Option<Received> {
    let kind = text(fields, "type")?
        .strip_prefix(stream)?
        .strip_prefix('.')?
        .to_owned();
    Some(Received {
        id: text(fields, "id")?.parse().ok()?,
        topic: stream.to_owned(),
        kind,
        aggregate: text(fields, "aggregate")?.parse().ok()?,
        sequence: text(fields, "sequence")?.parse().ok()?,
        time: text(fields, "time")?.parse().ok()?,
        payload: Vec::from_redis_value(fields.get("payload")?.clone()).ok()?,
        traceparent: text(fields, "traceparent"),
    })
}

fn text(fields: &HashMap<String, Value>, name: &str) -> Option<String> {
    String::from_redis_value(fields.get(name)?.clone()).ok()
}
