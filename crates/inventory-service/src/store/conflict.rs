//! Asking for the transaction to be run again.

use database::Connection;

/// Fails as a lost race does (`serialization_failure`), so that the one place
/// that repeats lost races repeats this transaction. For a decision that was
/// made on less than is true by now.
pub async fn run_again<T>(conn: &mut Connection) -> database::Result<T> {
    let failed = sqlx::query(
        "do $$
         begin
             raise serialization_failure using message = 'decided on what had changed meanwhile';
         end
         $$",
    )
    .execute(conn)
    .await;
    match failed {
        Err(error) => Err(error.into()),
        Ok(_) => Err(sqlx::Error::Decode("raise did not raise".into()).into()),
    }
}
