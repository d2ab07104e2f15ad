//! What no caller may hear of.

const SAID: &str = "select total from some_table at db-0.internal:5432 as postgres://shop:pw@db-0";
const NEVER_SENT: [&str; 7] = [
    "select",
    "some_table",
    "internal:",
    "5432",
    "postgres",
    "sqlx",
    "pool",
];

/// Errors of the database of each kind, full of what no caller may hear of.
pub fn database_errors() -> Vec<sqlx::Error> {
    vec![
        sqlx::Error::Protocol(SAID.to_owned()),
        sqlx::Error::Configuration(SAID.into()),
        sqlx::Error::Io(std::io::Error::other(SAID)),
        sqlx::Error::Decode(SAID.into()),
        sqlx::Error::ColumnNotFound(SAID.to_owned()),
        sqlx::Error::PoolTimedOut,
        sqlx::Error::PoolClosed,
    ]
}

/// Fails when the answer to such an error tells of SQL or of hosts.
pub fn assert_tells_nothing(answer: &str) {
    for word in NEVER_SENT {
        assert!(!answer.contains(word), "{word} in {answer}");
    }
}
