//! Calls and processes that come through after they were given up.

use order_service::domain::Step;

use super::world::{Frozen, Next, Note, QUICK_TRIES};
use super::{Late, Plan, World};
use crate::money::Later;

impl<P: Plan> World<'_, P> {
    /// When something held up now comes through.
    pub(super) fn moment_of(&self, late: Late) -> usize {
        match late {
            Late::After(moments) => self.moment + usize::from(moments),
            Late::AtTheEnd => usize::MAX,
        }
    }

    /// Whatever was held up until `moment` comes through. Whether anything did.
    pub(super) fn let_through(&mut self, moment: usize) -> bool {
        let mut came = false;
        while let Some(place) = self.late.iter().position(|(.., at)| *at <= moment) {
            let (case, step, _) = self.late.remove(place);
            self.notes.push(Note::CameLate(step));
            let _ = self.ask_noted(&case, step);
            came = true;
        }
        while let Some(place) = self.frozen.iter().position(|one| one.thaws <= moment) {
            let frozen = self.frozen.remove(place);
            self.notes.push(Note::Thawed);
            self.thaw(frozen);
            came = true;
        }
        came
    }

    /// A process goes on that does not know what was done without it.
    fn thaw(&mut self, frozen: Frozen) {
        let Frozen {
            mut run, answer, ..
        } = frozen;
        let owner = self.run.take();
        let mut at_hand = answer;
        for _ in 0..QUICK_TRIES * 10 {
            let (step, answer) = match at_hand.take() {
                Some(known) => known,
                None => {
                    let step = (self.rules.next_step)(&run.case.progress());
                    if step == Step::Rest {
                        self.write(run, None, Next::Never);
                        break;
                    }
                    match self.ask_noted(&run.case, step) {
                        Ok(answer) => (step, answer),
                        Err(Later) => {
                            self.write(run, None, Next::Later);
                            break;
                        }
                    }
                }
            };
            self.take_in(run, step, answer);
            match self.run.take() {
                Some(going_on) => run = going_on,
                None => break,
            }
        }
        self.run = owner;
    }
}
