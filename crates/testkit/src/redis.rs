//! A private Redis that a test may stop and start again.

use std::path::Path;
use std::time::{Duration, Instant};

use ::redis::{AsyncConnectionConfig, aio::MultiplexedConnection};

use crate::server::{Kind, Server, Start};

const PATIENCE: Duration = Duration::from_secs(30);

const KIND: Kind = Kind {
    script: "private-redis",
    signal: "KILL",
    // A write is in the kernel before it is answered, so it outlives a kill.
    arguments: &["--appendonly", "yes", "--appendfsync", "no"],
};

/// Ends when dropped. Its data live through [`TestRedis::stop`].
pub struct TestRedis {
    pub url: String,
    pub port: u16,
    server: Server,
}

/// A server of its own for each call: they start in milliseconds.
pub async fn redis() -> TestRedis {
    let server = Server::spawn(&KIND, &[]).await;
    let port = server.port;
    let redis = TestRedis {
        url: format!("redis://127.0.0.1:{port}"),
        port,
        server,
    };
    redis.wait_until_ready().await;
    redis
}

impl TestRedis {
    /// Holds all that it writes; removed with it.
    pub fn directory(&self) -> &Path {
        &self.server.dir
    }

    /// A connection that waits for its answers also on a busy machine: by
    /// default a client gives up after half a second.
    pub async fn connect(&self) -> MultiplexedConnection {
        let client = ::redis::Client::open(self.url.as_str()).expect("an address of ours");
        let patient = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let conn = client.get_multiplexed_async_connection_with_config(&patient);
        conn.await.expect("a Redis that runs")
    }

    /// Kills it. Returns when it is gone.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Starts it again, on the same port and with the same data.
    pub async fn start(&mut self) {
        let Start::Ready = self.server.start().await else {
            panic!("port {} was taken while its Redis was stopped", self.port);
        };
        self.wait_until_ready().await;
    }

    /// It accepts connections before it has read its file.
    async fn wait_until_ready(&self) {
        let client = ::redis::Client::open(self.url.as_str()).expect("an address of ours");
        let deadline = Instant::now() + Duration::from_secs(30);
        let dir = loop {
            match data_directory(&client).await {
                Ok(dir) => break dir,
                Err(error) => {
                    assert!(Instant::now() < deadline, "{error}\n{}", self.server.log());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        let ours = self.server.owns(&dir);
        assert!(ours, "another Redis has taken the port");
    }
}

async fn data_directory(client: &::redis::Client) -> ::redis::RedisResult<String> {
    let mut conn = client.get_multiplexed_async_connection().await?;
    ::redis::cmd("PING").query_async::<()>(&mut conn).await?;
    let (_, dir): (String, String) = ::redis::cmd("CONFIG")
        .arg("GET")
        .arg("dir")
        .query_async(&mut conn)
        .await?;
    Ok(dir)
}
