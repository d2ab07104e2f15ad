//! One call and its repeats under one key, and what the caller was told.

use std::{future::Future, time::Duration};

use prost::Name;
use rpc::{Reason, Remote};
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Of one try.
    pub timeout: Duration,
    /// No further try begins after so long.
    pub total: Duration,
    pub tries_max: u32,
    /// Before the second try; each further pause is twice the one before.
    pub pause: Duration,
    pub pause_max: Duration,
}

impl Patience {
    /// One try and no more, as a bench wants it.
    pub fn once(timeout: Duration) -> Self {
        Self {
            timeout,
            total: timeout,
            tries_max: 1,
            pause: Duration::ZERO,
            pause_max: Duration::ZERO,
        }
    }
}

/// A call that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    pub key: &'a str,
    pub patience: Patience,
}

/// What the caller knows in the end.
#[derive(Debug, Clone)]
pub enum Outcome<T> {
    Ok(T),
    /// It was not done and will not be: the same key says so again.
    Refused(Remote),
    /// It was turned away each time before anything was done.
    Shed(Remote),
    /// It may have been done, and it may yet be.
    Unknown(Remote),
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct Answered<T> {
    pub outcome: Outcome<T>,
    pub attempts: u32,
    /// When the first try was sent, and when the last had its answer.
    pub sent: Instant,
    pub answered: Instant,
}

impl<T> Outcome<T> {
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Ok(answer) => Some(answer),
            Self::Refused(_) | Self::Shed(_) | Self::Unknown(_) => None,
        }
    }
}

impl<T> Answered<T> {
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Answered<U> {
        let outcome = match self.outcome {
            Outcome::Ok(answer) => Outcome::Ok(map(answer)),
            Outcome::Refused(error) => Outcome::Refused(error),
            Outcome::Shed(error) => Outcome::Shed(error),
            Outcome::Unknown(error) => Outcome::Unknown(error),
        };
        Answered {
            outcome,
            attempts: self.attempts,
            sent: self.sent,
            answered: self.answered,
        }
    }
}

/// Calls until the outcome is known or the patience is at its end, always with
/// the same key and the same message.
pub async fn ask<M, R, F, Fut>(message: M, asking: Asking<'_>, send: F) -> Answered<R>
where
    M: Clone + Name,
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let Asking { key, patience } = asking;
    let sent = Instant::now();
    let mut pause = patience.pause;
    let mut maybe_done = false;
    for attempts in 1.. {
        let answer = rpc::call(message.clone(), Some(key), patience.timeout, &send).await;
        let answered = Instant::now();
        let outcome = judge(answer, &mut maybe_done);
        let is_known = matches!(outcome, Outcome::Ok(_) | Outcome::Refused(_));
        let is_over = attempts >= patience.tries_max || answered - sent >= patience.total;
        if is_known || is_over {
            return Answered {
                outcome,
                attempts,
                sent,
                answered,
            };
        }
        let wait = retry_after(&outcome).map_or(pause, |asked| asked.max(pause));
        tokio::time::sleep(wait.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(patience.pause_max);
    }
    unreachable!("tries are counted up to a limit")
}

/// `maybe_done`: one of the tries may have been carried out.
fn judge<T>(answer: Result<T, Status>, maybe_done: &mut bool) -> Outcome<T> {
    let status = match answer {
        Ok(answer) => return Outcome::Ok(answer),
        Err(status) => status,
    };
    let error = Remote::from(&status);
    if matches!(error.reason, Some(Reason::Overloaded | Reason::RateLimited)) {
        return match *maybe_done {
            true => Outcome::Unknown(error),
            false => Outcome::Shed(error),
        };
    }
    // Who may not ask again cannot know what became of the first try.
    let is_shut_out = matches!(error.code, Code::Unauthenticated | Code::PermissionDenied);
    if error.is_transient() || (is_shut_out && *maybe_done) {
        *maybe_done = true;
        return Outcome::Unknown(error);
    }
    Outcome::Refused(error)
}

fn retry_after<T>(outcome: &Outcome<T>) -> Option<Duration> {
    match outcome {
        Outcome::Ok(_) => None,
        Outcome::Refused(error) | Outcome::Shed(error) | Outcome::Unknown(error) => {
            error.retry_after
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use api::order::v1::{GetOrderRequest, GetOrderResponse};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    const PATIENCE: Patience = Patience {
        timeout: Duration::from_secs(1),
        total: Duration::from_secs(60),
        tries_max: 3,
        pause: Duration::from_millis(100),
        pause_max: Duration::from_secs(1),
    };

    fn ours(code: Code, reason: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, "cartwright", []);
        Status::with_error_details(code, "no", details)
    }

    fn unavailable() -> Status {
        ours(Code::Unavailable, "UNAVAILABLE")
    }

    fn shed() -> Status {
        ours(Code::ResourceExhausted, "OVERLOADED")
    }

    async fn asked(script: &[Option<Status>]) -> Answered<GetOrderResponse> {
        let next = AtomicUsize::new(0);
        let asking = Asking {
            key: "k",
            patience: PATIENCE,
        };
        ask(GetOrderRequest::default(), asking, |request| {
            assert_eq!(request.metadata().get("idempotency-key").unwrap(), "k");
            let answer = match &script[next.fetch_add(1, Relaxed)] {
                Some(status) => Err(status.clone()),
                None => Ok(Response::new(GetOrderResponse::default())),
            };
            async move { answer }
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_is_asked_for_again_under_the_same_key() {
        let answered = asked(&[Some(unavailable()), None]).await;
        assert!(answered.outcome.ok().is_some());
        assert_eq!(answered.attempts, 2);
        assert!(answered.answered - answered.sent >= Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_asked_again() {
        let refusal = ours(Code::FailedPrecondition, "OUT_OF_STOCK");
        let answered = asked(&[Some(unavailable()), Some(refusal)]).await;
        let Outcome::Refused(error) = answered.outcome else {
            panic!("{answered:?}");
        };
        assert_eq!(error.reason, Some(Reason::OutOfStock));
        assert_eq!(answered.attempts, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_of_the_patience_the_outcome_is_unknown() {
        let always = [
            Some(unavailable()),
            Some(unavailable()),
            Some(unavailable()),
        ];
        let answered = asked(&always).await;
        assert!(matches!(answered.outcome, Outcome::Unknown(_)));
        assert_eq!(answered.attempts, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_never_got_in_is_shed() {
        let answered = asked(&[Some(shed()), Some(shed()), Some(shed())]).await;
        assert!(matches!(answered.outcome, Outcome::Shed(_)));
        let answered = asked(&[Some(unavailable()), Some(shed()), Some(shed())]).await;
        assert!(matches!(answered.outcome, Outcome::Unknown(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_shut_out_later_does_not_know_what_became_of_it() {
        let shut_out = || ours(Code::Unauthenticated, "UNAUTHENTICATED");
        let answered = asked(&[Some(shut_out())]).await;
        assert!(matches!(answered.outcome, Outcome::Refused(_)));
        let answered = asked(&[Some(unavailable()), Some(shut_out()), Some(shut_out())]).await;
        assert!(matches!(answered.outcome, Outcome::Unknown(_)));
    }
}
