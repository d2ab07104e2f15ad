//! A password that is changed while the pool is in use.

use std::time::{Duration, Instant};

use database::{Database, Settings};
use testkit::TestPostgres;

const ROLE: &str = "shop";

struct Guarded {
    postgres: TestPostgres,
    settings: Settings,
    db: Database,
}

impl Guarded {
    async fn new() -> Self {
        let postgres = TestPostgres::start().await;
        postgres.add_role(ROLE, "first").await;
        let port = postgres.port();
        let mut settings = Settings::new(format!("postgres://{ROLE}@127.0.0.1:{port}/postgres"));
        settings.acquire_timeout_ms = 5_000;
        settings.max_connections = 3;
        settings.password = Some("first".into());
        let db = Database::connect(&settings, "test").await.unwrap();
        Self {
            postgres,
            settings,
            db,
        }
    }

    fn with_password(&self, password: &str) -> Settings {
        let mut settings = self.settings.clone();
        settings.password = Some(password.into());
        settings
    }
}

async fn session(db: &Database) -> database::Result<i32> {
    let mut conn = db.acquire().await?;
    let pid = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *conn);
    Ok(pid.await?)
}

#[tokio::test]
async fn the_right_password_is_needed_and_stands_above_that_of_the_url() {
    let guarded = Guarded::new().await;
    session(&guarded.db).await.unwrap();
    let wrong = Database::connect(&guarded.with_password("wrong"), "test")
        .await
        .unwrap();
    let error = session(&wrong).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("28P01"));
    assert!(
        error.is_unavailable(),
        "a password that is about to be read anew"
    );
    let port = guarded.postgres.port();
    let mut both = Settings::new(format!("postgres://{ROLE}:wrong@127.0.0.1:{port}/postgres"));
    both.password = Some("first".into());
    both.acquire_timeout_ms = 30_000;
    let both = Database::connect(&both, "test").await.unwrap();
    session(&both).await.unwrap();
}

#[tokio::test]
async fn new_connections_use_the_new_password_and_old_ones_are_not_handed_out() {
    let guarded = Guarded::new().await;
    let mut before = Vec::new();
    for _ in 0..5 {
        before.push(session(&guarded.db).await.unwrap());
    }
    let mut held = guarded.db.begin().await.unwrap();

    guarded.postgres.set_password(ROLE, "second").await;
    let second = guarded.with_password("second");
    assert!(guarded.db.rotate(&second).unwrap());
    assert!(!guarded.db.rotate(&second).unwrap(), "nothing is new");
    assert_eq!(guarded.db.version(), 1);
    // What is in flight ends on the connection that it has.
    let one: i32 = sqlx::query_scalar("select 1")
        .fetch_one(&mut *held)
        .await
        .unwrap();
    assert_eq!(one, 1);
    held.commit().await.unwrap();
    for _ in 0..5 {
        let now = session(&guarded.db).await.unwrap();
        assert!(!before.contains(&now), "{now} of {before:?}");
    }
}

#[tokio::test]
async fn a_pool_that_was_cut_off_by_a_new_password_goes_on_when_it_is_told() {
    let guarded = Guarded::new().await;
    session(&guarded.db).await.unwrap();
    guarded.postgres.set_password(ROLE, "second").await;
    assert!(guarded.postgres.disconnect(ROLE).await > 0);
    let began = Instant::now();
    while guarded.db.ping().await.is_ok() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the old one opens"
        );
    }
    assert!(guarded.db.begin().await.unwrap_err().is_unavailable());

    guarded.db.rotate(&guarded.with_password("second")).unwrap();
    guarded.db.begin().await.unwrap().commit().await.unwrap();
    // The limits still travel with the connections.
    let mut conn = guarded.db.acquire().await.unwrap();
    let limit: String = sqlx::query_scalar("select current_setting('statement_timeout')")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(limit, "2s");
}

#[tokio::test]
async fn an_address_that_cannot_be_read_leaves_the_old_one() {
    let guarded = Guarded::new().await;
    assert!(
        guarded
            .db
            .rotate(&Settings::new("postgres://127.0.0.1:nine"))
            .is_err()
    );
    assert_eq!(guarded.db.version(), 0);
    session(&guarded.db).await.unwrap();
}
