//! Running a transaction again when it lost a race or its connection.

use std::time::Duration;

use crate::{AsDatabaseError, Database, Error};

const REPEATS: u32 = 3;
/// The longest wait before the first repeat; it doubles each time.
const FIRST_WAIT_US_MAX: u64 = 10_000;

impl Database {
    /// Runs `transaction`, and at most three times again if it lost a race, a
    /// wait for a lock, or its connection before COMMIT was sent. The closure
    /// must begin anew each time and must do nothing outside the database.
    ///
    /// A COMMIT whose answer was lost is not repeated: see
    /// [`Error::is_outcome_unknown`].
    pub async fn retry<T, E, F, Fut>(&self, transaction: F) -> Result<T, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: AsDatabaseError,
    {
        for repeat in 0..REPEATS {
            let result = transaction().await;
            if !self.may_run_again(&result) {
                return result;
            }
            drop(result);
            let wait_us = rand::random_range(0..FIRST_WAIT_US_MAX << repeat);
            tokio::time::sleep(Duration::from_micros(wait_us)).await;
        }
        let result = transaction().await;
        self.may_run_again(&result);
        result
    }

    fn may_run_again<T, E: AsDatabaseError>(&self, result: &Result<T, E>) -> bool {
        let Some(error) = result.as_ref().err().and_then(E::as_database_error) else {
            return false;
        };
        self.last_sign.note(error);
        let repeat = worth_repeating(error);
        if repeat {
            tracing::debug!(%error, "the transaction is run again");
        }
        repeat
    }
}

fn worth_repeating(error: &Error) -> bool {
    !error.is_outcome_unknown() && (error.is_transient() || error.is_connection_lost())
}
