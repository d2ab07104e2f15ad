//! What clients and operators may ask of an order that stands, as pure
//! decisions on it. Each gives the change to write, or `None` when the order
//! already is what was asked for.

use types::Money;

use super::{
    CaptureMethod, Case, Change, Effect, Kind, NewWork, Refusal, State, StateReason, Target, Then,
    Work, WorkKind, WorkState,
};

/// What a person decided for an order that needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    Resume,
    Cancel,
}

type Decided = Result<Option<Change>, Refusal>;

fn illegal(verb: &str, case: &Case) -> Refusal {
    let state = case.order.state.name();
    Refusal::new(
        "ILLEGAL_TRANSITION",
        format!("an order that is {state} cannot be {verb}"),
    )
    .with("state", state)
}

impl Case {
    pub fn cancel(&mut self, reason: &str) -> Decided {
        match self.order.state {
            State::Cancelled => Ok(None),
            State::Compensating if self.order.saga.target == Some(Target::Cancelled) => Ok(None),
            State::Pending | State::AwaitingPaymentAction => Ok(self.undo(reason)),
            State::Confirmed if self.is_shipping() => Err(Refusal::new(
                "ILLEGAL_TRANSITION",
                "an order whose goods are being shipped cannot be cancelled",
            )),
            State::Confirmed => Ok(self.undo(reason)),
            State::PartiallyFulfilled
            | State::Fulfilled
            | State::Compensating
            | State::Rejected
            | State::NeedsAttention => Err(illegal("cancelled", self)),
        }
    }

    fn is_shipping(&self) -> bool {
        self.works
            .iter()
            .any(|work| work.kind == WorkKind::Fulfillment)
    }

    fn undo(&mut self, reason: &str) -> Option<Change> {
        let message = "the order was cancelled before it was confirmed";
        let then = self.turn_back(
            Target::Cancelled,
            Refusal::new("ILLEGAL_TRANSITION", message),
        );
        self.order.reason = StateReason::new("CANCELLED_BY_CLIENT", reason);
        written(then).map(|change| Change {
            reason: self.order.reason.clone(),
            ..change
        })
    }

    /// `work.lines` empty: all that has not shipped.
    pub fn fulfill(&mut self, mut work: NewWork) -> Result<(Change, NewWork), Refusal> {
        let state = self.order.state;
        if !matches!(state, State::Confirmed | State::PartiallyFulfilled) {
            return Err(illegal("shipped", self));
        }
        let left = self.unshipped();
        work.lines = match work.lines.is_empty() {
            true => left.into_iter().filter(|(_, units)| *units > 0).collect(),
            false => within(&work.lines, &left, "to ship")?,
        };
        if work.lines.is_empty() {
            let message = "nothing of the order is left to ship";
            return Err(Refusal::new("EXCEEDS_REMAINING", message));
        }
        let manual = self.order.capture_method == CaptureMethod::Manual;
        if manual && self.order.saga.capture == Effect::Absent && !self.order.is_free() {
            self.order.saga.capture = Effect::Begun;
        }
        Ok((self.change(Kind::FulfillmentRequested), work))
    }

    /// Units of each line that have not shipped and are not about to.
    fn unshipped(&self) -> Vec<(i32, i64)> {
        let lines = self.order.lines.iter();
        lines
            .map(|line| {
                let works = self.works.iter();
                let leaving: i64 = works
                    .filter(|work| work.kind == WorkKind::Fulfillment)
                    .flat_map(|work| &work.lines)
                    .filter(|(number, _)| *number == line.number)
                    .map(|(_, units)| units)
                    .sum();
                (line.number, line.quantity.get() - line.fulfilled - leaving)
            })
            .collect()
    }

    pub fn announce_return(&mut self, mut work: NewWork) -> Result<(Change, NewWork), Refusal> {
        let state = self.order.state;
        if !matches!(state, State::PartiallyFulfilled | State::Fulfilled) {
            return Err(illegal("returned", self));
        }
        let lines = self.order.lines.iter();
        let left: Vec<(i32, i64)> = lines
            .map(|line| (line.number, line.fulfilled - line.returned))
            .collect();
        work.lines = within(&work.lines, &left, "to come back")?;
        let mut amount = 0;
        for (number, units) in &work.lines {
            let mut lines = self.order.lines.iter_mut();
            if let Some(line) = lines.find(|line| line.number == *number) {
                line.returned += units;
                amount += line.unit_price.map_or(0, Money::minor) * units;
            }
        }
        work.amount = Some(self.order.money(amount));
        let mut change = self.change(Kind::ReturnRequested);
        change.counted = true;
        change.reason = StateReason::new("RETURN", &work.reason);
        Ok((change, work))
    }

    /// The goods are here. Pays back at most what is left of the money: a part
    /// may have been refunded since the return was announced.
    pub fn receive_return(&mut self, work: &mut Work) -> Decided {
        if work.state != WorkState::Requested {
            return Ok(None);
        }
        if !self.order.state.is_confirmed() {
            return Err(illegal("returned", self));
        }
        let owed = work.amount.map_or(0, Money::minor);
        let amount = owed.min(self.order.refundable_minor());
        work.amount = Some(self.order.money(amount));
        work.state = WorkState::Running;
        self.order.refund_pending_minor += amount;
        self.works.push(work.clone());
        Ok(Some(self.change(Kind::ReturnReceived)))
    }

    /// `work.amount` absent: all that is left.
    pub fn refund(&mut self, mut work: NewWork) -> Result<(Change, NewWork), Refusal> {
        if !self.order.state.is_confirmed() {
            return Err(illegal("refunded", self));
        }
        let left = self.order.refundable_minor();
        let amount = work.amount.map_or(left, Money::minor);
        if amount > left || left == 0 {
            let left = self.order.money(left);
            return Err(Refusal::new(
                "REFUND_EXCEEDS_CAPTURED",
                format!("only {left} of what was captured is left to refund"),
            )
            .with("remaining_minor", left.minor()));
        }
        work.amount = Some(self.order.money(amount));
        self.order.refund_pending_minor += amount;
        let mut change = self.change(Kind::RefundRequested);
        change.reason = StateReason::new("REFUND", &work.reason);
        Ok((change, work))
    }

    pub fn resolve(&mut self, resolution: Resolution, reason: &str) -> Decided {
        if self.order.state != State::NeedsAttention {
            return Err(illegal("resolved", self));
        }
        let shipped = self.order.has_shipped() || self.is_shipping();
        if resolution == Resolution::Cancel && shipped {
            let message = "goods of the order have shipped; it can only be resumed";
            return Err(Refusal::new("ILLEGAL_TRANSITION", message));
        }
        let stopped_in = self.order.saga.stopped_in.take();
        self.order.state = match resolution {
            Resolution::Resume => stopped_in.unwrap_or(State::Compensating),
            Resolution::Cancel => State::Compensating,
        };
        if resolution == Resolution::Cancel || self.order.saga.target.is_none() {
            let undone = self.order.state == State::Compensating;
            self.order.saga.target = undone.then_some(Target::Cancelled);
        }
        self.order.reason = match self.order.state.is_confirmed() {
            true => StateReason::default(),
            false => StateReason::new("RESOLVED", reason),
        };
        let mut change = self.changed(State::NeedsAttention, Kind::Resumed);
        change.reason = StateReason::new("RESOLVED", reason);
        Ok(Some(change))
    }

    /// Stock that was promised to the order is not there any more.
    pub fn short_of_stock(&mut self, message: String) -> Option<Change> {
        let refusal = Refusal::new("STOCK_SHORTFALL", message);
        match self.order.state {
            State::Pending
            | State::AwaitingPaymentAction
            | State::Confirmed
            | State::PartiallyFulfilled => written(self.needs_attention(refusal)),
            State::Fulfilled
            | State::Compensating
            | State::Cancelled
            | State::Rejected
            | State::NeedsAttention => None,
        }
    }
}

fn written(then: Then) -> Option<Change> {
    match then {
        Then::Write(change) => Some(change),
        Then::Go | Then::Wait => None,
    }
}

/// The wanted units summed per line, if each line has so many left.
fn within(
    wanted: &[(i32, i64)],
    left: &[(i32, i64)],
    what_for: &str,
) -> Result<Vec<(i32, i64)>, Refusal> {
    let mut sums: Vec<(i32, i64)> = Vec::new();
    for (number, units) in wanted {
        match sums.iter_mut().find(|(known, _)| known == number) {
            Some((_, sum)) => *sum += units,
            None => sums.push((*number, *units)),
        }
    }
    for (number, units) in &sums {
        let Some((_, left)) = left.iter().find(|(known, _)| known == number) else {
            let message = format!("line_number: the order has no line {number}");
            return Err(Refusal::new("INVALID_FIELD", message));
        };
        if units > left {
            let message = format!("line {number} has {left} units left {what_for}, not {units}");
            return Err(Refusal::new("EXCEEDS_REMAINING", message)
                .with("line_number", number)
                .with("remaining", left));
        }
    }
    Ok(sums)
}
