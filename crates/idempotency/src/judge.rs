//! Decides by what is stored which calls of a batch are to run. Pure.

use crate::{Request, Saved};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

/// When nothing better is known than that somebody is at it right now.
pub(crate) const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Running work mostly ends long before its lease does.
const ASK_AGAIN_AFTER_MAX: Duration = Duration::from_secs(1);

/// A row that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Running {
        resource: Uuid,
        /// `None`: the lease has run out.
        lease_left: Option<Duration>,
    },
    Done(Saved),
}

/// What to do with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Run,
    Replay(Saved),
    /// The lease has run out: try to take the work over.
    TakeOver(Uuid),
    /// Begun by an earlier attempt of this very call.
    GoOn(Uuid),
    Wait(Duration),
    Reused,
}

/// One verdict per request. `begun` holds the resources of earlier attempts
/// whose commit may have been answered into the void.
pub(crate) fn judge(
    requests: &[&Request],
    stored: &[Option<Stored>],
    begun: &[Uuid],
) -> Vec<Verdict> {
    let mut first_of = HashMap::new();
    let mut verdicts = Vec::with_capacity(requests.len());
    for (request, stored) in requests.iter().zip(stored) {
        let first = *first_of.entry(request.scope()).or_insert(*request);
        let is_first = std::ptr::eq(first, *request);
        verdicts.push(match stored {
            Some(stored) if stored.fingerprint != request.fingerprint => Verdict::Reused,
            Some(stored) => by_state(&stored.state, is_first, begun),
            None if is_first => Verdict::Run,
            None if first.fingerprint != request.fingerprint => Verdict::Reused,
            None => Verdict::Wait(ASK_AGAIN_AFTER),
        });
    }
    verdicts
}

fn by_state(state: &State, is_first: bool, begun: &[Uuid]) -> Verdict {
    match state {
        State::Done(saved) => Verdict::Replay(saved.clone()),
        State::Running { resource, .. } if is_first && begun.contains(resource) => {
            Verdict::GoOn(*resource)
        }
        State::Running {
            resource,
            lease_left: None,
        } if is_first => Verdict::TakeOver(*resource),
        State::Running { lease_left, .. } => Verdict::Wait(
            lease_left
                .unwrap_or_default()
                .clamp(ASK_AGAIN_AFTER, ASK_AGAIN_AFTER_MAX),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panic")]

    use super::*;
    use types::IdempotencyKey;

    fn request(key: &str, content: &str) -> Request {
        let key = IdempotencyKey::parse(key).unwrap();
        Request::new("anna", "Shop/Buy", key, content.as_bytes())
    }

    fn stored(request: &Request, state: State) -> Option<Stored> {
        let fingerprint = request.fingerprint.to_vec();
        Some(Stored { fingerprint, state })
    }

    fn done() -> State {
        State::Done(Saved {
            code: 0,
            body: b"answer".to_vec(),
        })
    }

    fn running(lease_left: Option<Duration>) -> State {
        State::Running {
            resource: Uuid::nil(),
            lease_left,
        }
    }

    #[test]
    fn a_stored_row_decides_and_another_request_is_a_reused_key_whatever_the_state() {
        let (same, other) = (request("k", "same"), request("k", "other"));
        let long = Some(Duration::from_secs(30));
        let table = [
            (
                done(),
                Verdict::Replay(Saved {
                    code: 0,
                    body: b"answer".to_vec(),
                }),
            ),
            (running(None), Verdict::TakeOver(Uuid::nil())),
            (running(long), Verdict::Wait(ASK_AGAIN_AFTER_MAX)),
        ];
        for (state, verdict) in table {
            let row = stored(&same, state);
            assert_eq!(judge(&[&same], std::slice::from_ref(&row), &[]), [verdict]);
            assert_eq!(judge(&[&other], &[row], &[]), [Verdict::Reused]);
        }
    }

    #[test]
    fn of_equal_fresh_calls_the_first_runs_and_an_unequal_one_is_a_reused_key() {
        let (first, equal, unequal) = (request("k", "a"), request("k", "a"), request("k", "b"));
        assert_eq!(
            judge(&[&first, &equal, &unequal], &[None, None, None], &[]),
            [
                Verdict::Run,
                Verdict::Wait(ASK_AGAIN_AFTER),
                Verdict::Reused
            ]
        );
    }

    #[test]
    fn of_equal_calls_for_lapsed_work_only_the_first_takes_over() {
        let (first, equal) = (request("k", "a"), request("k", "a"));
        let row = stored(&first, running(None));
        assert_eq!(
            judge(&[&first, &equal], &[row.clone(), row], &[]),
            [
                Verdict::TakeOver(Uuid::nil()),
                Verdict::Wait(ASK_AGAIN_AFTER)
            ]
        );
    }

    #[test]
    fn a_reused_key_in_front_does_not_hide_the_stored_answer_from_the_right_request() {
        let (wrong, right) = (request("k", "wrong"), request("k", "right"));
        let row = stored(&right, done());
        let verdicts = judge(&[&wrong, &right], &[row.clone(), row], &[]);
        assert_eq!(verdicts[0], Verdict::Reused);
        assert!(matches!(verdicts[1], Verdict::Replay(_)));
    }

    #[test]
    fn work_that_an_earlier_attempt_of_this_call_began_goes_on_despite_its_lease() {
        let call = request("k", "a");
        let row = stored(&call, running(Some(Duration::from_secs(30))));
        assert_eq!(
            judge(&[&call], &[row], &[Uuid::nil()]),
            [Verdict::GoOn(Uuid::nil())]
        );
    }
}
