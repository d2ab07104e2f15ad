//! Reads the Redis streams as one more consumer would, while the load lasts: a
//! Redis that is flushed takes with it only what nobody had read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, AsyncConnectionConfig, FromRedisValue, RedisResult, Value};
use tokio_util::sync::CancellationToken;

use crate::history::Published;

pub const STREAMS: [&str; 3] = [
    "cartwright.order.v1",
    "cartwright.payment.v1",
    "cartwright.inventory.v1",
];

const PAUSE: Duration = Duration::from_millis(100);
const AT_ONCE: usize = 1_000;

/// Everything that the streams hold.
pub async fn read(url: &str) -> RedisResult<Vec<Published>> {
    let mut all = Vec::new();
    read_on(url, &mut HashMap::new(), &mut all).await?;
    Ok(all)
}

/// What the streams hold after the ids in `after`, by stream. What was read
/// before Redis went away is in `all`, too.
async fn read_on(
    url: &str,
    after: &mut HashMap<&'static str, String>,
    all: &mut Vec<Published>,
) -> RedisResult<()> {
    let client = redis::Client::open(url)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(Some(Duration::from_secs(10)));
    let mut conn = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    loop {
        let ids: Vec<String> = STREAMS
            .iter()
            .map(|stream| after.get(stream).cloned().unwrap_or_else(|| "0".to_owned()))
            .collect();
        let options = StreamReadOptions::default().count(AT_ONCE);
        let reply: Option<StreamReadReply> = conn.xread_options(&STREAMS, &ids, &options).await?;
        let keys = reply.map(|reply| reply.keys).unwrap_or_default();
        if keys.is_empty() {
            return Ok(());
        }
        for key in keys {
            let Some(stream) = STREAMS.iter().find(|stream| **stream == key.key) else {
                continue;
            };
            for entry in key.ids {
                all.extend(parse(stream, &entry.map));
                after.insert(stream, entry.id);
            }
        }
    }
}

/// Until `stop`, through every outage of Redis.
pub async fn follow(url: String, seen: Arc<Mutex<Vec<Published>>>, stop: CancellationToken) {
    let mut after = HashMap::new();
    while !stop.is_cancelled() {
        let mut read = Vec::new();
        // It comes back, and reading goes on after what was read.
        let _ = read_on(&url, &mut after, &mut read).await;
        seen.lock().extend(read);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn parse(stream: &str, fields: &HashMap<String, Value>) -> Option<Published> {
    let text = |name: &str| String::from_redis_value(fields.get(name)?.clone()).ok();
    Some(Published {
        topic: stream.to_owned(),
        event: text("id")?,
        aggregate: text("aggregate")?,
        sequence: text("sequence")?.parse().ok()?,
    })
}
