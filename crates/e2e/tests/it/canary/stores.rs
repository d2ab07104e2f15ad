//! Everything that the shop keeps, as text.

use std::path::Path;

use e2e::Shop;
use sqlx::{Connection, PgConnection};
use testkit::TestRedis;

/// Each table, each key of Redis and each book of the simulator by its name.
pub async fn everything(shop: &Shop) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for (name, url) in &shop.databases {
        kept.extend(tables(name, url).await);
    }
    kept.push(("Redis".to_owned(), redis(&shop.redis).await));
    files(shop.directory().join("books").as_path(), &mut kept);
    assert!(kept.len() > 20, "{} places", kept.len());
    kept
}

async fn tables(database: &str, url: &str) -> Vec<(String, String)> {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename)
         from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut kept = Vec::new();
    for table in tables {
        let statement = format!("select row_to_json(t)::text from {table} as t");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        kept.push((format!("{database}: {table}"), rows.join("\n")));
    }
    kept
}

/// The whole dump, in which texts stand as they are.
async fn redis(server: &TestRedis) -> String {
    let mut conn = server.connect().await;
    let plain = redis::cmd("CONFIG")
        .arg(&["SET", "rdbcompression", "no"])
        .to_owned();
    let () = plain.query_async(&mut conn).await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut conn)
        .await
        .unwrap();
    let mut all = String::new();
    for key in keys {
        let dump: Vec<u8> = redis::cmd("DUMP")
            .arg(&key)
            .query_async(&mut conn)
            .await
            .unwrap();
        all.push_str(&key);
        all.push_str(&String::from_utf8_lossy(&dump));
    }
    all
}

fn files(directory: &Path, kept: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, kept);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            kept.push((path.display().to_string(), text));
        }
    }
}
