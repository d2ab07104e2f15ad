//! The rules that are simulated, and broken ones: a simulation that finds nothing
//! wrong with those would prove nothing of the others.

use order_service::domain::{
    Answer, Case, Effect, Hold, Order, Progress, State, Step, Task, Then, Work, next_step,
};

use crate::{money, stock};

#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub name: &'static str,
    pub next_step: fn(&Progress) -> Step,
    pub apply: fn(&mut Case, Step, Answer) -> Then,
    pub loaded: fn(Order, Vec<Work>, bool) -> Case,
    /// A write needs the claim under which the order was read.
    pub fenced: bool,
    /// Each try has a key of its own.
    pub fresh_keys: bool,
    pub stock: stock::Bugs,
    pub money: money::Bugs,
}

impl Rules {
    /// Those of the services.
    pub const OURS: Rules = Rules {
        name: "ours",
        next_step,
        apply: Case::apply,
        loaded: Case::loaded,
        fenced: true,
        fresh_keys: false,
        stock: stock::Bugs {
            no_tombstone: false,
            no_keys: false,
            expires_commits: false,
        },
        money: money::Bugs {
            no_tombstone: false,
            key_before_effect: false,
            no_keys: false,
            voids_blindly: false,
        },
    };
}

const OURS: Rules = Rules::OURS;

/// Each breaks one rule, and each must be found out.
pub const BROKEN: &[Rules] = &[
    Rules {
        name: "a cancelled order does not settle its capture",
        next_step: |p| match p.state {
            State::Compensating if p.capture == Effect::Begun => next_step(&Progress {
                capture: Effect::Undone,
                ..*p
            }),
            _ => next_step(p),
        },
        ..OURS
    },
    Rules {
        name: "an order ends before its money is paid back",
        next_step: |p| match next_step(p) {
            Step::RefundRest => Step::Release,
            step => step,
        },
        ..OURS
    },
    Rules {
        name: "what was only begun is not given back",
        next_step: |p| match next_step(p) {
            Step::Void if p.payment == Effect::Begun => Step::Release,
            Step::Release if p.stock == Effect::Begun => Step::Conclude,
            step => step,
        },
        ..OURS
    },
    Rules {
        name: "the stock of an undone order is kept",
        next_step: |p| match next_step(p) {
            Step::Release => Step::Conclude,
            step => step,
        },
        ..OURS
    },
    Rules {
        name: "an order is confirmed before its stock is committed",
        next_step: |p| match next_step(p) {
            Step::Commit { .. } => Step::Confirm,
            step => step,
        },
        ..OURS
    },
    Rules {
        name: "the goods leave before the money is captured",
        next_step: |p| match (next_step(p), p.task) {
            (Step::Capture, Some(task @ Task::Ship(_))) => Step::Work(task),
            (step, _) => step,
        },
        apply: |case, step, answer| match step {
            Step::Work(Task::Ship(_)) => {
                let then = case.apply(step, answer);
                case.order.saga.capture = Effect::Absent;
                then
            }
            _ => case.apply(step, answer),
        },
        ..OURS
    },
    Rules {
        name: "a new attempt forgets that the last one was begun",
        apply: |case, step, answer| {
            let then = case.apply(step, answer);
            if step == Step::Pay {
                case.order.saga.payment = match case.order.saga.payment {
                    Effect::Begun => Effect::Absent,
                    other => other,
                };
            }
            then
        },
        ..OURS
    },
    Rules {
        name: "a stored order forgets what was begun",
        loaded: |mut order, works, overdue| {
            if order.saga.payment == Effect::Begun && order.state == State::Pending {
                order.saga.payment = Effect::Absent;
            }
            Case::loaded(order, works, overdue)
        },
        ..OURS
    },
    Rules {
        name: "a stored order counts as held",
        loaded: |order, works, overdue| {
            let mut case = Case::loaded(order, works, overdue);
            if case.hold == Hold::Unknown && case.order.total.is_some() {
                case.hold = Hold::Committed;
            }
            case
        },
        ..OURS
    },
    Rules {
        name: "every run counts as the first",
        loaded: |order, works, overdue| {
            let mut case = Case::loaded(order, works, overdue);
            case.first_run = true;
            case
        },
        ..OURS
    },
    Rules {
        name: "a write needs no claim",
        fenced: false,
        ..OURS
    },
    Rules {
        name: "each try has a new key",
        fresh_keys: true,
        ..OURS
    },
    Rules {
        name: "stock that is released too early leaves no tombstone",
        stock: stock::Bugs {
            no_tombstone: true,
            ..OURS.stock
        },
        ..OURS
    },
    Rules {
        name: "a hold runs out although it was committed",
        stock: stock::Bugs {
            expires_commits: true,
            ..OURS.stock
        },
        ..OURS
    },
    Rules {
        name: "a payment that is voided too early leaves no tombstone",
        money: money::Bugs {
            no_tombstone: true,
            ..OURS.money
        },
        ..OURS
    },
    Rules {
        name: "the key is kept before the payment is made",
        money: money::Bugs {
            key_before_effect: true,
            ..OURS.money
        },
        ..OURS
    },
    Rules {
        name: "a refund that is asked for again is made again",
        money: money::Bugs {
            no_keys: true,
            ..OURS.money
        },
        ..OURS
    },
    Rules {
        name: "a payment whose outcome is unknown counts as voided",
        money: money::Bugs {
            voids_blindly: true,
            ..OURS.money
        },
        ..OURS
    },
];
