use std::collections::HashSet;

use sqlx::migrate::Migrator;

static MIGRATOR: Migrator = sqlx::migrate!("tests/it/migrations");

#[tokio::test]
async fn two_databases_of_one_migration_set_are_isolated() {
    let migrators = [&MIGRATOR];
    let (one, other) = tokio::join!(testkit::database(&migrators), testkit::database(&migrators));
    assert_ne!(one.url, other.url);
    let mut tx = one.db.begin().await.unwrap();
    sqlx::query("insert into things (name) values ('mine')")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for (database, expected) in [(&one, 1), (&other, 0)] {
        let mut conn = database.db.acquire().await.unwrap();
        let count: i64 = sqlx::query_scalar("select count(*) from things")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(count, expected);
    }
}

#[tokio::test]
async fn a_database_without_migrations_is_empty() {
    let fresh = testkit::database(&[]).await;
    let mut conn = fresh.db.acquire().await.unwrap();
    let tables: i64 =
        sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn the_server_listens_on_the_loopback_interface_only() {
    let fresh = testkit::database(&[]).await;
    let mut conn = fresh.db.acquire().await.unwrap();
    let listens: String = sqlx::query_scalar("select current_setting('listen_addresses')")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(listens, "127.0.0.1");
}

#[test]
fn a_free_port_is_given_once() {
    let ports: HashSet<u16> = (0..200).map(|_| testkit::free_port()).collect();
    assert_eq!(ports.len(), 200);
}
