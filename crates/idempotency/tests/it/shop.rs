//! A small verb with every way to end, and what the tests ask of it.

use database::{AsDatabaseError, Connection, Database};
use idempotency::{Acted, Answer, Answered, Call, Effect, Outcome, Refusal, Request, Saved, Verb};
use std::time::Duration;
use testkit::TestDatabase;
use types::IdempotencyKey;
use uuid::Uuid;

pub const METHOD: &str = "Shop/Buy";

#[derive(Debug, Clone)]
pub enum How {
    Finish,
    Start(Uuid),
    Decline,
    Invalid,
    /// Writes a name that must be unique, so it may break the batch.
    Unique,
    /// Refuses, unstored, if the name is there.
    UnlessThere,
    Panic,
    Slow(Box<How>),
}

#[derive(Debug, Clone)]
pub struct Purchase {
    pub name: String,
    pub how: How,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

impl Answer for Receipt {
    fn saved(&self) -> Saved {
        Saved {
            code: 0,
            body: self.0.clone().into_bytes(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    #[error("declined")]
    Declined,
    #[error("invalid")]
    Invalid,
    #[error("there already")]
    There,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl AsDatabaseError for ShopError {
    fn as_database_error(&self) -> Option<&database::Error> {
        match self {
            Self::Database(error) => Some(error),
            Self::Declined | Self::Invalid | Self::There => None,
        }
    }
}

impl Refusal for ShopError {
    fn saved(&self) -> Option<Saved> {
        match self {
            Self::Declined => Some(Saved {
                code: 9,
                body: b"declined".to_vec(),
            }),
            Self::Invalid | Self::There | Self::Database(_) => None,
        }
    }
}

#[derive(Clone)]
pub struct Buy {
    pub lease: Duration,
    pub kept_for: Duration,
}

impl Default for Buy {
    fn default() -> Self {
        Self {
            lease: idempotency::LEASE,
            kept_for: idempotency::KEPT_FOR,
        }
    }
}

impl Verb for Buy {
    type Input = Purchase;
    type Output = Receipt;
    type Error = ShopError;

    async fn act(
        &self,
        tx: &mut Connection,
        inputs: &[&Purchase],
    ) -> Result<Vec<Acted<Self>>, ShopError> {
        let mut acted = Vec::new();
        for purchase in inputs {
            let mut how = &purchase.how;
            let mut slow = false;
            if let How::Slow(inner) = how {
                (how, slow) = (inner, true);
            }
            acted.push(buy(tx, &purchase.name, how).await?);
            if slow {
                sqlx::query("select pg_sleep(0.3)")
                    .execute(&mut *tx)
                    .await
                    .map_err(database::Error::from)?;
            }
        }
        Ok(acted)
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    fn kept_for(&self) -> Duration {
        self.kept_for
    }
}

async fn buy(tx: &mut Connection, name: &str, how: &How) -> Result<Acted<Buy>, ShopError> {
    let unique = matches!(how, How::Unique | How::UnlessThere).then_some(name);
    match how {
        How::Decline => return Ok(Err(ShopError::Declined)),
        How::Invalid => return Ok(Err(ShopError::Invalid)),
        _ => {}
    }
    let written = sqlx::query(match how {
        How::UnlessThere => {
            "insert into effects (name, unique_name) values ($1, $2) on conflict do nothing"
        }
        _ => "insert into effects (name, unique_name) values ($1, $2)",
    })
    .bind(name)
    .bind(unique)
    .execute(&mut *tx)
    .await
    .map_err(database::Error::from)?;
    if written.rows_affected() == 0 {
        return Ok(Err(ShopError::There));
    }
    // The answer is different each time, so that a replay shows.
    let output = Receipt(format!("{name} {}", Uuid::now_v7()));
    match how {
        How::Panic => panic!("the verb has a bug"),
        How::Start(resource) => Ok(Ok(Effect::Started {
            output,
            resource: *resource,
        })),
        _ => Ok(Ok(Effect::Finished(output))),
    }
}

pub async fn database() -> TestDatabase {
    let test = testkit::database(&[&idempotency::MIGRATOR, &audit::MIGRATOR]).await;
    execute(
        &test.db,
        "create table effects (name text not null, unique_name text unique)",
    )
    .await;
    test
}

pub async fn execute(db: &Database, sql: &'static str) {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query(sql).execute(&mut *conn).await.unwrap();
}

pub async fn count(db: &Database, sql: &'static str) -> i64 {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap()
}

/// The effects there are, by name.
pub async fn effects(db: &Database) -> Vec<String> {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query_scalar("select name from effects order by name")
        .fetch_all(&mut *conn)
        .await
        .unwrap()
}

pub fn call(key: &str, name: &str, how: How) -> Call<Purchase> {
    let key = IdempotencyKey::parse(key).unwrap();
    Call {
        request: Request::new("anna", METHOD, key, name.as_bytes()),
        input: Purchase {
            name: name.to_owned(),
            how,
        },
    }
}

/// Runs the verb on one call.
pub async fn once(db: &Database, call: Call<Purchase>) -> Answered<Buy> {
    once_by(&Buy::default(), db, call).await
}

pub async fn once_by(verb: &Buy, db: &Database, call: Call<Purchase>) -> Answered<Buy> {
    let mut answers = idempotency::once(db, verb, &[call]).await;
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

pub fn fresh(answered: Answered<Buy>) -> Receipt {
    match answered {
        Ok(Outcome::Fresh(receipt)) => receipt,
        other => panic!("should be fresh: {other:?}"),
    }
}

pub fn replayed(answered: Answered<Buy>) -> Saved {
    match answered {
        Ok(Outcome::Replayed(saved)) => saved,
        other => panic!("should be replayed: {other:?}"),
    }
}
