//! How many calls may be sent again.

use parking_lot::Mutex;

/// Of a token; each call brings one, and each retry costs ten.
const RETRY: u32 = 10;
/// For a moment's trouble, and for whoever calls seldom.
const RESERVE: u32 = 50 * RETRY;

/// Lets about one of ten calls be sent again, and a few more at once: when a
/// peer is in trouble, retries must not double what it has to do. Held where
/// retries are decided, which is one layer for each call.
#[derive(Debug)]
pub struct RetryBudget(Mutex<u32>);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(RESERVE))
    }
}

impl RetryBudget {
    /// A call is made for the first time.
    pub fn deposit(&self) {
        let mut tokens = self.0.lock();
        *tokens = (*tokens + 1).min(RESERVE);
    }

    /// Whether it may be sent once more.
    pub fn withdraw(&self) -> bool {
        let mut tokens = self.0.lock();
        let left = tokens.checked_sub(RETRY);
        *tokens = left.unwrap_or(*tokens);
        drop(tokens);
        crate::metrics::retried(left.is_some());
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_retries_is_held_to_a_tenth_of_the_calls() {
        let budget = RetryBudget::default();
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.deposit();
            retries += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
        }
        let most = 10_000 / 10 + RESERVE / RETRY;
        assert!((most - 10..=most).contains(&retries), "{retries}");
    }

    #[test]
    fn a_few_may_go_at_once_and_quiet_times_save_no_more() {
        let budget = RetryBudget::default();
        (0..100_000).for_each(|_| budget.deposit());
        let retries = (0..1_000).filter(|_| budget.withdraw()).count();
        assert_eq!(retries, 50);
    }
}
