//! The order's row, whoever works on it, and the loop that they run.

use chrono::DateTime;
use order_service::domain::{Answer, Case, Change, Kind, Order, State, Step, Then, Work};

use super::{Fault, Plan, Rules, Way};
use crate::money::{Later, Money};
use crate::stock::Stock;

/// A saga that is not at rest by then never will be.
const MOMENTS_MAX: usize = 400;
/// Then the saga lets go and waits.
pub(super) const QUICK_TRIES: u8 = 3;
/// So often a waiting order is looked at before its customer is too late.
pub(super) const POLLS_BEFORE_TIMEOUT: usize = 4;

/// When the saga goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Now,
    Later,
    Never,
}

/// The order as the database has it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) order: Order,
    pub(super) works: Vec<Work>,
    pub(super) next: Next,
    pub(super) overdue: bool,
}

/// A process at work on the order.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) case: Case,
    pub(super) tries: u8,
}

/// A process that will go on when it should not, perhaps with an answer in hand.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) run: Run,
    pub(super) answer: Option<(Step, Answer)>,
    pub(super) thaws: usize,
}

/// A line of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    Fault(usize, Fault),
    Asked(Step, Option<Answer>),
    Wrote(Kind, State),
    Fenced,
    Claimed(i64),
    Commanded(&'static str),
    Refused(&'static str, String),
    CameLate(Step),
    Thawed,
}

pub struct World<'a, P> {
    pub(super) rules: &'a Rules,
    pub(super) way: &'a Way,
    plan: P,
    pub stock: Stock,
    pub money: Money,
    pub(super) stored: Stored,
    pub(super) run: Option<Run>,
    pub(super) frozen: Vec<Frozen>,
    pub(super) late: Vec<(Case, Step, usize)>,
    pub(super) moment: usize,
    pub(super) calls: usize,
    /// How often the settings have changed.
    pub(super) deployed: usize,
    pub(super) asked: usize,
    pub(super) resolved: usize,
    polls: usize,
    pub(super) lost_units: i64,
    pub(super) goods_lost: bool,
    pub(super) authorization_ended: bool,
    pub(super) paid_by_hand: bool,
    pub(super) notes: Vec<Note>,
    pub(super) broken: Vec<String>,
    met: bool,
}

/// How it went.
#[derive(Debug)]
pub struct Outcome {
    pub end: State,
    pub moments: usize,
    /// Every fault of the plan made a difference.
    pub met: bool,
    /// What should hold and does not.
    pub broken: Vec<String>,
    pub notes: Vec<Note>,
}

/// One order on its way, until nobody has anything left to do.
pub fn play<P: Plan>(way: &Way, rules: &Rules, plan: P) -> Outcome {
    let mut world = World::new(way, rules, plan);
    world.run_to_the_end();
    world.judge();
    Outcome {
        end: world.stored.order.state,
        moments: world.moment,
        met: world.met,
        broken: world.broken,
        notes: world.notes,
    }
}

impl<'a, P: Plan> World<'a, P> {
    fn new(way: &'a Way, rules: &'a Rules, plan: P) -> Self {
        let order = way.order().placed(None, DateTime::UNIX_EPOCH);
        let mut stock = Stock::new(&way.goods());
        stock.bugs = rules.stock;
        let mut money = Money::default();
        money.bugs = rules.money;
        money.provider.manners = way.manners;
        Self {
            rules,
            way,
            plan,
            stock,
            money,
            run: Some(Run {
                case: Case::placed(order.clone()),
                tries: 0,
            }),
            stored: Stored {
                order,
                works: Vec::new(),
                next: Next::Now,
                overdue: false,
            },
            frozen: Vec::new(),
            late: Vec::new(),
            moment: 0,
            calls: 0,
            deployed: 0,
            asked: 0,
            resolved: 0,
            polls: 0,
            lost_units: 0,
            goods_lost: false,
            authorization_ended: false,
            paid_by_hand: false,
            notes: Vec::new(),
            broken: Vec::new(),
            met: true,
        }
    }

    fn run_to_the_end(&mut self) {
        let mut turns = 0;
        loop {
            turns += 1;
            if self.moment > MOMENTS_MAX || turns > 4 * MOMENTS_MAX {
                self.broken.push("O7: the saga never rests".to_owned());
                return;
            }
            self.let_through(self.moment);
            let went_on = self.turn()
                || self.claim()
                || self.decide()
                || self.ask_next()
                || self.let_through(usize::MAX);
            if !went_on {
                self.money.provider.end_refunds();
                self.money.reconcile();
                return;
            }
        }
    }

    /// One moment of whoever works on the order.
    fn turn(&mut self) -> bool {
        let Some(run) = self.run.take() else {
            return false;
        };
        let step = (self.rules.next_step)(&run.case.progress());
        if step == Step::Rest {
            self.write(run, None, Next::Never);
            return true;
        }
        let fault = self.plan.at(self.moment);
        self.moment += 1;
        match fault {
            Some(fault) => {
                self.notes.push(Note::Fault(self.moment - 1, fault));
                self.met &= self.suffer(run, step, fault);
            }
            None => {
                self.go(run, step);
            }
        }
        true
    }

    /// Asks, takes in, writes.
    pub(super) fn go(&mut self, run: Run, step: Step) {
        match self.ask_noted(&run.case, step) {
            Ok(answer) => {
                self.take_in(run, step, answer);
            }
            Err(Later) => self.try_again(run),
        }
    }

    pub(super) fn ask_noted(&mut self, case: &Case, step: Step) -> Result<Answer, Later> {
        let answer = self.ask(case, step);
        self.notes.push(Note::Asked(step, answer.clone().ok()));
        answer
    }

    /// Whether there was something to write.
    pub(super) fn take_in(&mut self, mut run: Run, step: Step, answer: Answer) -> bool {
        run.tries = 0;
        match (self.rules.apply)(&mut run.case, step, answer) {
            Then::Go => {
                self.run = Some(run);
                false
            }
            Then::Write(change) => {
                let next = self.next_after(&run.case);
                self.write(run, Some(change), next);
                true
            }
            Then::Wait => {
                self.write(run, None, Next::Later);
                true
            }
        }
    }

    pub(super) fn next_after(&self, case: &Case) -> Next {
        match (self.rules.next_step)(&case.progress()) {
            Step::Rest => Next::Never,
            _ if case.order.state == State::AwaitingPaymentAction => Next::Later,
            _ => Next::Now,
        }
    }

    pub(super) fn try_again(&mut self, mut run: Run) {
        run.tries += 1;
        match run.tries < QUICK_TRIES {
            true => self.run = Some(run),
            false => self.write(run, None, Next::Later),
        }
    }

    /// Writes under the claim of `run`; it goes on if there is more to do.
    pub(super) fn write(&mut self, mut run: Run, change: Option<Change>, next: Next) {
        let order = &mut run.case.order;
        let read = (order.saga.epoch, order.sequence);
        let stored = (self.stored.order.saga.epoch, self.stored.order.sequence);
        if self.rules.fenced && read != stored {
            self.notes.push(Note::Fenced);
            return;
        }
        order.sequence += i64::from(change.is_some());
        if let Some(change) = &change {
            let closed = |work: &Work| change.closed.iter().any(|one| one.work.id == work.id);
            self.stored.works.retain(|work| !closed(work));
        }
        self.store(&run.case, change.as_ref(), next);
        run.case.unpriced = run.case.order.total.is_none();
        if next == Next::Now {
            self.run = Some(run);
        }
    }

    /// The row changes; what must never be seen in it is.
    pub(super) fn store(&mut self, case: &Case, change: Option<&Change>, next: Next) {
        let (from, to) = (self.stored.order.state, case.order.state);
        if let Some(change) = change {
            self.notes.push(Note::Wrote(change.kind, to));
        }
        if from != to && !from.may_become(to) {
            self.broken.push(format!("O5: {from:?} became {to:?}"));
        }
        if case.order.sequence - self.stored.order.sequence != i64::from(change.is_some()) {
            self.broken.push("O5: a gap in the events".to_owned());
        }
        if self.stored.order.total.is_some() && self.stored.order.total != case.order.total {
            self.broken.push("O1: the total has changed".to_owned());
        }
        self.stored.order = case.order.clone();
        self.stored.next = next;
    }

    /// Some other process takes up what is due.
    fn claim(&mut self) -> bool {
        match self.stored.next {
            Next::Never => return false,
            Next::Now => {}
            Next::Later => self.time_passes(),
        }
        self.stored.order.saga.epoch += 1;
        self.notes.push(Note::Claimed(self.stored.order.saga.epoch));
        let case = (self.rules.loaded)(
            self.stored.order.clone(),
            self.stored.works.clone(),
            self.stored.overdue,
        );
        self.run = Some(Run { case, tries: 0 });
        true
    }

    fn time_passes(&mut self) {
        self.money.reconcile();
        self.money.provider.end_refunds();
        if self.stored.order.state != State::AwaitingPaymentAction {
            return;
        }
        self.polls += 1;
        match self.way.customer {
            super::Customer::Acts if self.polls > 1 => {
                self.money.provider.customers_act();
            }
            super::Customer::Acts | super::Customer::NeverActs => {}
        }
        self.stored.overdue |= self.polls > POLLS_BEFORE_TIMEOUT;
    }
}

impl Outcome {
    pub fn faults(&self) -> usize {
        let faults = self.notes.iter();
        faults
            .filter(|note| matches!(note, Note::Fault(..)))
            .count()
    }

    /// What happened, line by line.
    pub fn timeline(&self) -> Vec<String> {
        self.notes.iter().map(|note| format!("{note:?}")).collect()
    }
}
