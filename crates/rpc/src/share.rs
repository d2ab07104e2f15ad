//! What a call may have of the time of whoever it is made for.

use std::time::Duration;

use crate::Deadline;

/// Kept back on each hop, so that an answer still reaches the caller.
const MARGIN: Duration = Duration::from_millis(50);

tokio::task_local! {
    static CALLER: Deadline;
}

/// Calls to peers that `work` makes are made for a caller who waits until
/// `deadline`. Tasks that it spawns are their own masters.
pub(crate) async fn within<T>(deadline: Deadline, work: impl Future<Output = T>) -> T {
    CALLER.scope(deadline, work).await
}

/// At most `most`; none when nobody would wait for the answer.
pub(crate) fn of(most: Duration) -> Option<Duration> {
    let left = CALLER.try_with(|caller| caller.remaining().saturating_sub(MARGIN));
    let share = left.map_or(most, |left| left.min(most));
    (!share.is_zero()).then_some(share)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_call_has_what_is_left_less_a_margin() {
        assert_eq!(of(SECOND), Some(SECOND));
        let long = within(Deadline::after(SECOND * 9), async { of(SECOND) });
        assert_eq!(long.await, Some(SECOND));
        let short = within(Deadline::after(SECOND), async { of(SECOND * 9) });
        assert!(short.await.unwrap() <= SECOND - MARGIN);
        let none = within(Deadline::after(MARGIN), async { of(SECOND) });
        assert_eq!(none.await, None);
    }

    #[tokio::test]
    async fn what_goes_on_without_the_caller_has_its_own_time() {
        let spawned = within(Deadline::after(MARGIN), async {
            tokio::spawn(async { of(SECOND) }).await
        });
        assert_eq!(spawned.await.unwrap(), Some(SECOND));
    }
}
