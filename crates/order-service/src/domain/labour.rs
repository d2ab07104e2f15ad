//! What the end of a work makes of its order.

use super::case::refusal_of;
use super::{Answer, Case, Kind, State, Task, Then, Work, WorkKind};

impl Case {
    pub(super) fn worked(&mut self, task: Task, answer: Answer) -> Then {
        let id = match task {
            Task::Ship(id) | Task::Restock(id) | Task::PayBack(id) | Task::Close(id) => id,
        };
        let Some(work) = self.work(id).cloned() else {
            return Then::Go;
        };
        let from = self.order.state;
        let refusal = match answer {
            Answer::Done if matches!(task, Task::Restock(_)) => {
                self.restocked = true;
                if matches!(self.progress().task, Some(Task::PayBack(_))) {
                    return Then::Go;
                }
                None
            }
            Answer::Done => None,
            other => Some(refusal_of(other)),
        };
        let kind = kind(work.kind, refusal.is_some());
        self.account(&work, refusal.is_none());
        let closed = self.close(id, refusal);
        let mut change = self.changed(from, kind);
        change.counted = kind == Kind::Fulfilled;
        change.closed = closed.into_iter().collect();
        Then::Write(change)
    }

    fn account(&mut self, work: &Work, done: bool) {
        if let Some(amount) = work.amount {
            self.order.refund_pending_minor -= amount.minor();
            if done {
                self.order.refunded_minor += amount.minor();
            }
        }
        if work.kind == WorkKind::Fulfillment && done {
            self.ship(work);
        }
    }

    fn ship(&mut self, work: &Work) {
        for line in &mut self.order.lines {
            let shipped = work
                .lines
                .iter()
                .filter(|(number, _)| *number == line.number);
            line.fulfilled += shipped.map(|(_, quantity)| quantity).sum::<i64>();
        }
        let mut lines = self.order.lines.iter();
        self.order.state = match lines.all(|line| line.fulfilled == line.quantity.get()) {
            true => State::Fulfilled,
            false => State::PartiallyFulfilled,
        };
    }
}

fn kind(kind: WorkKind, failed: bool) -> Kind {
    match (kind, failed) {
        (WorkKind::Fulfillment, false) => Kind::Fulfilled,
        (WorkKind::Fulfillment, true) => Kind::FulfillmentFailed,
        (WorkKind::Return, false) => Kind::Returned,
        (WorkKind::Return, true) => Kind::ReturnFailed,
        (WorkKind::Refund, false) => Kind::Refunded,
        (WorkKind::Refund, true) => Kind::RefundFailed,
    }
}
