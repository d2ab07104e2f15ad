//! The reconciler's loop: decide, ask, take in, write. It takes no input but
//! the order and its claim, so that first try, retry and recovery after a
//! crash are one path.

use std::time::{Duration, Instant};

use telemetry::propagation;
use tracing::{Instrument, Span, field::Empty};
use types::OrderId;

use super::claims::Claim;
use super::journal::{Entry, Written};
use super::{App, Error};
use crate::domain::{Answer, Case, Change, NewEvent, State, Step, Then, next_step};
use crate::metrics;
use crate::peers::Trouble;
use crate::store::order_events;
use crate::store::orders::Next;
use crate::store::sagas::{self, Claimed};

/// At most so long before the first repeat at once, and three times as long
/// before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
const QUICK_TRIES: u32 = 3;
/// A peer that wants to be left alone for longer is asked by the next run.
const QUICK_PAUSE_MAX: Duration = Duration::from_secs(1);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// One saga under a claim.
struct Run {
    app: App,
    case: Case,
    claim: Claim,
    /// How long it had been at work when this run began.
    age: Duration,
    started: Instant,
    _running: metrics::Running,
}

impl App {
    /// Goes on with an order that this process has claimed, in the trace of
    /// `origin`: that in which the order was placed. `None`: it is placed now.
    pub(super) fn start_saga(&self, case: Case, age: Duration, origin: Option<&str>) {
        let claim = self.0.claims.enter(case.order.id, case.order.saga.epoch);
        let span = span_of(case.order.id, origin);
        let run = Run {
            app: self.clone(),
            case,
            claim,
            age,
            started: Instant::now(),
            _running: metrics::Running::begin(),
        };
        self.0.tracker.spawn(run.finish().instrument(span));
    }

    /// Claims up to `limit` sagas that are due and that nobody works on, and
    /// goes on with them. Gives how many there were.
    pub async fn run_due_sagas(&self, limit: i64) -> Result<usize, Error> {
        let lease = self.0.patience.lease;
        let ahead = self.0.ahead.now(self.0.patience.backoff_max);
        let (claimed, origins) = self
            .0
            .db
            .retry(|| async {
                let mut tx = self.0.db.begin().await?;
                let claimed = sagas::claim_due(&mut tx, limit, ahead, lease).await?;
                if !claimed.is_empty() {
                    failpoint::reached!("order.saga.before_claim");
                }
                let ids: Vec<OrderId> = claimed.iter().map(|one| one.case.order.id).collect();
                let origins = order_events::origins(&mut tx, &ids).await?;
                tx.commit().await?;
                Ok::<_, database::Error>((claimed, origins))
            })
            .await?;
        let count = claimed.len();
        if count > 0 {
            failpoint::reached!("order.saga.after_claim");
        }
        metrics::claimed(count);
        for Claimed { case, age } in claimed {
            let origin = origins.get(&case.order.id).map(String::as_str);
            self.start_saga(case, age, origin);
        }
        Ok(count)
    }

    /// Renews the claims of all sagas that run here.
    pub async fn renew_claims(&self) -> Result<(), Error> {
        let claims = self.0.claims.all();
        if claims.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.db.begin().await?;
        sagas::renew(&mut tx, &claims, self.0.patience.lease).await?;
        Ok(failpoint::around!(
            "order.lease",
            "renewal",
            tx.commit().await
        )?)
    }

    /// Gives every claim back, so that others can go on at once.
    pub async fn release_claims(&self) -> Result<(), Error> {
        let claims = self.0.claims.all();
        if claims.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.db.begin().await?;
        sagas::release(&mut tx, &claims).await?;
        Ok(tx.commit().await?)
    }

    pub fn running_sagas(&self) -> usize {
        self.0.claims.count()
    }

    /// Resolves when a saga may have become due in this process.
    pub async fn saga_due(&self) {
        self.0.due.notified().await;
    }

    pub(super) fn wake_worker(&self) {
        self.0.due.notify_one();
    }
}

/// Whoever made the saga go on, if it was not who placed the order, is linked.
fn span_of(order: OrderId, origin: Option<&str>) -> Span {
    let Some(origin) = origin else {
        return tracing::info_span!("saga", order.id = %order, order.state = Empty);
    };
    let span = tracing::info_span!(parent: None, "saga", order.id = %order, order.state = Empty);
    propagation::set_parent_from(&span, origin);
    let cause = Span::current();
    propagation::link(&span, &cause);
    propagation::link(&cause, &span);
    span
}

/// Whether a run goes on.
enum Flow {
    On,
    Ended,
}

impl Run {
    async fn finish(mut self) {
        while let Flow::On = self.step().await {}
        Span::current().record("order.state", self.case.order.state.name());
    }

    async fn step(&mut self) -> Flow {
        if !self.claim.is_latest() {
            return Flow::Ended;
        }
        let step = next_step(&self.case.progress());
        if step == Step::Rest {
            return self.write(None, Next::Never).await;
        }
        match self.ask(step).await {
            Ok(answer) => match self.case.apply(step, answer) {
                Then::Go => Flow::On,
                Then::Write(change) => self.record(change).await,
                Then::Wait => {
                    let poll = self.app.0.patience.action_poll;
                    self.write(None, Next::In(poll)).await
                }
            },
            Err(trouble) => self.put_off(&trouble).await,
        }
    }

    /// A few quick repeats first: most trouble is over in a moment. Nothing
    /// below repeats a call that a peer has seen, so this is where the budget
    /// is: when a peer is in trouble for longer, repeats must not be its load.
    async fn ask(&self, step: Step) -> Result<Answer, Trouble> {
        let budget = &self.app.0.retries;
        budget.deposit();
        let mut tries = 1;
        loop {
            let asked = self.app.0.peers.ask(&self.case, step).await;
            if step.asks_peer() {
                self.app.0.ahead.called(asked.is_err());
            }
            let trouble = match asked {
                Err(trouble) => trouble,
                answer => return answer,
            };
            let wanted = trouble.retry_after.unwrap_or_default();
            if tries >= QUICK_TRIES
                || wanted > QUICK_PAUSE_MAX
                || !self.claim.is_latest()
                || !budget.withdraw()
            {
                return Err(trouble);
            }
            tracing::debug!(?step, error = trouble.message, "asking again");
            tokio::time::sleep(wanted + quick_pause(tries)).await;
            tries += 1;
        }
    }

    async fn record(&mut self, change: Change) -> Flow {
        self.case.order.saga.tries = 0;
        self.case.order.saga.last_error = String::new();
        let waits = self.case.order.state == State::AwaitingPaymentAction;
        let next = match next_step(&self.case.progress()) {
            Step::Rest => Next::Never,
            _ if waits => Next::In(self.app.0.patience.action_poll),
            _ => Next::Now,
        };
        self.write(Some(change), next).await
    }

    async fn put_off(&mut self, trouble: &Trouble) -> Flow {
        tracing::warn!(error = trouble.message, "the saga has to wait");
        if self.is_too_old() {
            return match self.case.give_up(&trouble.message) {
                Then::Write(change) => self.record(change).await,
                Then::Go | Then::Wait => Flow::On,
            };
        }
        let saga = &mut self.case.order.saga;
        saga.tries = saga.tries.saturating_add(1);
        saga.last_error = trouble.message.chars().take(500).collect();
        let wait = backoff(saga.tries, self.app.0.patience.backoff_max).max(
            trouble
                .retry_after
                .unwrap_or_default()
                .min(FIRST_BACKOFF * 4),
        );
        self.write(None, Next::In(jittered(wait))).await
    }

    fn is_too_old(&self) -> bool {
        let patience = &self.app.0.patience;
        let limit = match self.case.order.state {
            State::Pending => patience.forward,
            State::AwaitingPaymentAction => patience.action + patience.forward,
            _ => patience.attention,
        };
        self.age + self.started.elapsed() > limit
    }

    async fn write(&mut self, change: Option<Change>, next: Next) -> Flow {
        let order: OrderId = self.case.order.id;
        let changed_state = change
            .as_ref()
            .is_some_and(|change| change.from != Some(self.case.order.state));
        let entry = Entry {
            case: self.case.clone(),
            change,
            next,
            read_epoch: self.case.order.saga.epoch,
            actor: NewEvent::SAGA.to_owned(),
            traceparent: propagation::current_traceparent(),
        };
        match self.app.0.records.call(entry).await {
            Ok(Ok(Written::Done(case, answers))) => {
                self.case = *case;
                if changed_state {
                    self.age = Duration::ZERO;
                    self.started = Instant::now();
                }
                self.app.announce(order, answers);
            }
            Ok(Ok(Written::Fenced)) => {
                tracing::debug!("fenced: somebody else has claimed the order");
                return Flow::Ended;
            }
            // What became of the write is not known: the claim runs out, and
            // whoever takes it then reads what is stored.
            Ok(Err(error)) => {
                tracing::error!(error, "an order could not be written");
                return Flow::Ended;
            }
            Err(error) => {
                tracing::error!(%error, "an order could not be written");
                return Flow::Ended;
            }
        }
        match next {
            Next::Now => Flow::On,
            Next::In(_) | Next::Never => Flow::Ended,
        }
    }
}

/// Anything up to the longest pause: those who failed together must not come
/// back together.
fn quick_pause(tries: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(3_u32.saturating_pow(tries - 1));
    longest.mul_f64(rand::random_range(0.0..1.0))
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..1.5))
}

/// Doubles with each try.
fn backoff(tries: i32, max: Duration) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_BACKOFF.saturating_mul(1 << doublings).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_repeats_come_at_any_time_up_to_a_limit() {
        let pauses = |tries| (0..100).map(move |_| quick_pause(tries));
        assert!(pauses(1).all(|pause| pause < FIRST_PAUSE));
        assert!(pauses(2).all(|pause| pause < FIRST_PAUSE * 3));
        assert!(pauses(2).any(|pause| pause < FIRST_PAUSE));
        assert!(pauses(2).any(|pause| pause > FIRST_PAUSE));
    }

    #[test]
    fn waits_between_tries_double_up_to_a_limit() {
        let max = Duration::from_secs(30);
        assert_eq!(backoff(1, max), FIRST_BACKOFF);
        assert_eq!(backoff(3, max), FIRST_BACKOFF * 4);
        assert_eq!(backoff(1_000_000, max), max);
    }
}
