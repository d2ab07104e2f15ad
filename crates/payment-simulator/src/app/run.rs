//! The way of every request that changes something.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use super::change::Done;
use super::{App, AppError, Command, Keyed, Reply};
use crate::books::Answer;
use crate::books::journal::Place;
use crate::books::keys::{Claim, Claimed};
use crate::faults::{Loss, Operation};
use crate::methods::Quirk;
use crate::wire::Problem;

const SLOW: Duration = Duration::from_secs(2);
/// A receiver that never acknowledges must not hold the caller for ever.
const WEBHOOK_FIRST_MAX: Duration = Duration::from_secs(30);

impl App {
    /// Carries out `command` once per key. The work goes on when the caller
    /// hangs up.
    pub async fn run(
        self: &Arc<Self>,
        command: Command,
        keyed: Option<Keyed>,
    ) -> Result<Reply, AppError> {
        let operation = command.operation();
        self.meet_faults(operation).await?;
        let claim = match keyed {
            None => None,
            Some(Keyed { key, fingerprint }) => match self.books.keys.claim(&key, fingerprint) {
                Claimed::Fresh(claim) => Some(claim),
                Claimed::Answered(place) => return self.replay(place, operation).await,
                Claimed::InUse => return Err(key_in_use(&key).into()),
                Claimed::Reused => return Err(key_reused(&key).into()),
            },
        };
        let app = Arc::clone(self);
        let work = async move { app.carry_out(command, claim).await };
        let done = self.tracker.spawn(work.in_current_span()).await??;
        let lost = done.lost.then_some(Loss::Hang);
        Ok(Reply {
            answer: done.answer,
            replayed: false,
            lost: lost.or_else(|| self.loses_answer(operation)),
        })
    }

    /// The faults that strike before a request is looked at.
    pub async fn meet_faults(&self, operation: Option<Operation>) -> Result<(), AppError> {
        let Some(operation) = operation else {
            return Ok(());
        };
        let delay_ms = self.faults.delay_ms();
        if delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        match self.faults.refuses(operation) {
            true => Err(Problem::internal().into()),
            false => Ok(()),
        }
    }

    pub fn loses_answer(&self, operation: Option<Operation>) -> Option<Loss> {
        self.faults.loses_answer(operation?)
    }

    async fn carry_out(
        self: Arc<Self>,
        command: Command,
        claim: Option<Claim>,
    ) -> Result<Done, AppError> {
        if self.confirm_quirk(&command) == Quirk::ConfirmSlow {
            tokio::time::sleep(SLOW).await;
        }
        let done = match command {
            Command::Create(create) => self.create(create, claim)?,
            Command::Confirm(confirm) => self.confirm(confirm, claim)?,
            Command::Capture(capture) => self.capture(capture, claim)?,
            Command::Cancel(cancel) => self.cancel(cancel, claim)?,
            Command::CreateRefund(refund) => self.refund(refund, claim)?,
            Command::CompleteAction(action) => self.complete_action(action, claim)?,
        };
        self.books.durable(done.end).await?;
        if let Some((refund, settles_at_ms)) = &done.settle {
            self.settle_later(refund.clone(), *settles_at_ms);
        }
        self.send_events(&done).await;
        Ok(done)
    }

    async fn send_events(&self, done: &Done) {
        let Some(webhooks) = &self.webhooks else {
            return;
        };
        if !done.webhook_first {
            webhooks.send(&done.events);
            return;
        }
        let acknowledged = webhooks.send_and_wait(&done.events);
        if tokio::time::timeout(WEBHOOK_FIRST_MAX, acknowledged)
            .await
            .is_err()
        {
            tracing::warn!("no webhook acknowledged in time, the call is answered first");
        }
    }

    fn confirm_quirk(&self, command: &Command) -> Quirk {
        let method = command.confirms_with().or_else(|| match command {
            Command::Confirm(confirm) => {
                let account = self.books.account(&confirm.intent)?;
                let account = account.lock();
                account.intent.method
            }
            _ => None,
        });
        method.map_or(Quirk::None, |method| method.quirk())
    }

    async fn replay(&self, place: Place, operation: Option<Operation>) -> Result<Reply, AppError> {
        let kept = self.books.entry(place).await?.answer;
        let kept = kept.ok_or_else(Problem::internal)?;
        Ok(Reply {
            answer: Answer {
                status: kept.status,
                body: kept.body,
            },
            replayed: true,
            lost: self.loses_answer(operation),
        })
    }
}

fn key_in_use(key: &str) -> Problem {
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {key}. Please try again later."
    );
    Problem::new(409, "idempotency_error", message).code("idempotency_key_in_use")
}

fn key_reused(key: &str) -> Problem {
    let message = format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
    );
    Problem::new(400, "idempotency_error", message)
}
