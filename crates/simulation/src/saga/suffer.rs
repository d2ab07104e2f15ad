//! What each fault does to a moment.

use order_service::domain::{Step, Task, Then};

use super::ask::{is_about_money, is_asked};
use super::world::{Frozen, Next, Run};
use super::{Fault, Late, Plan, World, way};
use crate::provider::Line;

impl<P: Plan> World<'_, P> {
    /// Whether the fault made a difference. What happens outside of the process
    /// takes a moment of its own, after which the step is still to be done.
    pub(super) fn suffer(&mut self, run: Run, step: Step, fault: Fault) -> bool {
        match fault {
            Fault::Fails
            | Fault::LosesAnswer
            | Fault::Twice
            | Fault::LateCopy(_)
            | Fault::Delayed(_)
            | Fault::PutOff
            | Fault::GivesUp => match is_asked(step) {
                true => self.call_goes_wrong(run, step, fault),
                false => {
                    self.go(run, step);
                    false
                }
            },
            Fault::DiesBefore => true,
            Fault::DiesAfter if is_asked(step) => {
                let _ = self.ask_noted(&run.case, step);
                true
            }
            Fault::Redeployed if is_asked(step) => {
                let _ = self.ask_noted(&run.case, step);
                self.deployed += 1;
                true
            }
            Fault::DiesAfter | Fault::Redeployed => {
                self.go(run, step);
                false
            }
            Fault::DiesUnrecorded | Fault::DiesRecorded => self.dies_writing(run, step, fault),
            Fault::FreezesBefore(late) => self.freeze(run, None, late),
            Fault::FreezesAfter(late) => match self.ask_noted(&run.case, step) {
                Ok(answer) => self.freeze(run, Some((step, answer)), late),
                Err(_) => {
                    self.try_again(run);
                    false
                }
            },
            Fault::CancelsHere => {
                let cancelled = self.cancel();
                if !cancelled {
                    self.run = Some(run);
                }
                cancelled
            }
            Fault::CancelsElsewhere(late) => {
                let cancelled = self.cancel();
                match cancelled {
                    true => self.freeze(run, None, late),
                    false => {
                        self.run = Some(run);
                        false
                    }
                }
            }
            Fault::GoodsLost => self.goods_are_lost(run),
            other => {
                let met = self.outside(step, other);
                self.run = Some(run);
                met
            }
        }
    }

    fn call_goes_wrong(&mut self, run: Run, step: Step, fault: Fault) -> bool {
        match fault {
            Fault::LosesAnswer => {
                let _ = self.ask_noted(&run.case, step);
                self.try_again(run);
            }
            Fault::Twice => {
                let _ = self.ask_noted(&run.case, step);
                self.go(run, step);
            }
            Fault::LateCopy(late) => {
                let at = self.moment_of(late);
                self.late.push((run.case.clone(), step, at));
                self.go(run, step);
            }
            Fault::Delayed(late) => {
                let at = self.moment_of(late);
                self.late.push((run.case.clone(), step, at));
                self.try_again(run);
            }
            Fault::PutOff => self.write(run, None, Next::Later),
            Fault::GivesUp => self.give_up(run),
            _ => self.try_again(run),
        }
        true
    }

    fn give_up(&mut self, mut run: Run) {
        match run.case.give_up("the peer was away for too long") {
            Then::Write(change) => {
                let next = self.next_after(&run.case);
                self.write(run, Some(change), next);
            }
            Then::Go | Then::Wait => self.run = Some(run),
        }
    }

    fn dies_writing(&mut self, run: Run, step: Step, fault: Fault) -> bool {
        let Ok(answer) = self.ask_noted(&run.case, step) else {
            self.try_again(run);
            return false;
        };
        let mut knows = run.clone();
        let then = (self.rules.apply)(&mut knows.case, step, answer.clone());
        match (then, fault) {
            (Then::Go, _) => {
                self.take_in(run, step, answer);
                false
            }
            (_, Fault::DiesUnrecorded) => true,
            (..) => {
                self.take_in(run, step, answer);
                self.run.take().is_some()
            }
        }
    }

    fn freeze(
        &mut self,
        run: Run,
        answer: Option<(Step, order_service::domain::Answer)>,
        late: Late,
    ) -> bool {
        let thaws = self.moment_of(late);
        self.frozen.push(Frozen { run, answer, thaws });
        true
    }

    fn goods_are_lost(&mut self, run: Run) -> bool {
        let shipping = matches!(step_of(self, &run), Step::Work(Task::Ship(_)));
        if shipping || self.stored.order.has_shipped() {
            self.run = Some(run);
            return false;
        }
        let (on_hand, ..) = self.stock.totals(&way::pen());
        let victims = self.stock.lose_all(&way::pen());
        self.lost_units += on_hand;
        self.goods_lost |= !victims.is_empty();
        match victims.is_empty() || !self.hear_of_loss() {
            true => self.run = Some(run),
            // It goes on elsewhere until it is fenced.
            false => drop(self.freeze(run, None, Late::After(1))),
        }
        on_hand > 0
    }

    fn outside(&mut self, step: Step, fault: Fault) -> bool {
        let about_money = is_about_money(step);
        let provider = &mut self.money.provider;
        let untouched = provider.payments.is_empty();
        let refunds = matches!(step, Step::RefundRest | Step::Work(Task::PayBack(_)));
        match fault {
            Fault::HoldRunsOut => self.stock.let_holds_run_out(),
            Fault::SoldMeanwhile => {
                let wants = matches!(step, Step::Reserve { .. });
                let ran_out = self.stock.let_holds_run_out();
                self.stock.sell_all() && (ran_out || wants)
            }
            Fault::Declines => {
                provider.manners.declines = true;
                step == Step::Pay
            }
            Fault::RefusesCapture => {
                provider.manners.refuses_captures += 1;
                step == Step::Capture
            }
            Fault::RefusesRefund => {
                provider.manners.refuses_refunds += 1;
                refunds
            }
            Fault::SlowRefunds => {
                provider.manners.slow_refunds = true;
                refunds
            }
            Fault::AuthorizationEnds => {
                let ended = provider.time_is_up();
                self.authorization_ended |= ended;
                ended
            }
            Fault::ProviderDown => {
                self.money.line = Line::Down;
                about_money
            }
            Fault::ProviderDeaf => {
                self.money.line = Line::Deaf;
                about_money
            }
            Fault::Webhooks => {
                let told = provider.events.len();
                (0..told).rev().for_each(|event| self.money.hear(event));
                !untouched
            }
            Fault::Reconciles => {
                self.money.reconcile();
                !untouched
            }
            _ => false,
        }
    }
}

fn step_of<P: Plan>(world: &World<'_, P>, run: &Run) -> Step {
    (world.rules.next_step)(&run.case.progress())
}
