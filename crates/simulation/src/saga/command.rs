//! What people ask for while the saga runs or rests: each reads the row, decides
//! on it, and writes it under a new epoch.

use chrono::DateTime;
use order_service::domain::{
    Case, Change, NewWork, Refusal, Resolution, State, Step, WorkKind, WorkState,
};
use uuid::Uuid;

use super::world::{Next, Note, Run};
use super::{Ask, Plan, World};

/// So often a person tries to bring one order to its end.
const DECISIONS_MAX: usize = 6;

impl<P: Plan> World<'_, P> {
    /// Whether it changed anything.
    fn command(
        &mut self,
        name: &'static str,
        decide: impl FnOnce(&mut Case) -> Result<Option<Change>, Refusal>,
    ) -> bool {
        let stored = &self.stored;
        let mut case =
            (self.rules.loaded)(stored.order.clone(), stored.works.clone(), stored.overdue);
        let change = match decide(&mut case) {
            Ok(Some(change)) => change,
            Ok(None) => return false,
            Err(refusal) => {
                self.notes.push(Note::Refused(name, refusal.code));
                return false;
            }
        };
        self.notes.push(Note::Commanded(name));
        case.order.saga.epoch += 1;
        case.order.sequence += 1;
        let rests = (self.rules.next_step)(&case.progress()) == Step::Rest;
        let next = if rests { Next::Never } else { Next::Now };
        self.stored.works = case.works.clone();
        self.store(&case, Some(&change), next);
        self.run = (!rests).then_some(Run { case, tries: 0 });
        true
    }

    pub(super) fn cancel(&mut self) -> bool {
        self.command("cancel", |case| case.cancel("changed my mind"))
    }

    /// Whether the order has to be looked at by a person now.
    pub(super) fn hear_of_loss(&mut self) -> bool {
        self.command("shortfall", |case| {
            Ok(case.short_of_stock("broken".to_owned()))
        })
    }

    /// The next thing that the way asks for. Whether there was one.
    pub(super) fn ask_next(&mut self) -> bool {
        let Some(ask) = self.way.asks.get(self.asked) else {
            return false;
        };
        self.asked += 1;
        let id = Uuid::from_u128(0x100 + self.asked as u128);
        match *ask {
            Ask::Cancel => drop(self.cancel()),
            Ask::Ship(units) => {
                let new = NewWork {
                    lines: units.map(|units| (1, units)).into_iter().collect(),
                    ..work(id, self, WorkKind::Fulfillment)
                };
                self.command("ship", |case| {
                    let (change, new) = case.fulfill(new)?;
                    case.works.push(new.stored(DateTime::UNIX_EPOCH));
                    Ok(Some(change))
                });
            }
            Ask::Return { restock } => {
                let new = NewWork {
                    lines: vec![(1, 1)],
                    restock,
                    state: WorkState::Requested,
                    ..work(id, self, WorkKind::Return)
                };
                let mut announced = None;
                self.command("announce return", |case| {
                    let (change, new) = case.announce_return(new)?;
                    announced = Some(new.stored(DateTime::UNIX_EPOCH));
                    Ok(Some(change))
                });
                if let Some(mut work) = announced {
                    self.command("receive return", |case| case.receive_return(&mut work));
                }
            }
            Ask::Refund(minor) => {
                let new = NewWork {
                    amount: minor.map(|minor| self.stored.order.money(minor)),
                    ..work(id, self, WorkKind::Refund)
                };
                self.command("refund", |case| {
                    let (change, new) = case.refund(new)?;
                    case.works.push(new.stored(DateTime::UNIX_EPOCH));
                    Ok(Some(change))
                });
            }
        }
        true
    }

    /// What a person does about an order that waits for one: puts right what is
    /// wrong outside, and lets it go on, or gives it up if the goods are gone.
    pub(super) fn decide(&mut self) -> bool {
        let order = &self.stored.order;
        let hopeless = self.goods_lost && !order.has_shipped();
        if hopeless && order.state == State::Confirmed {
            return self.command("cancel", |case| case.cancel("the goods are gone"));
        }
        if order.state != State::NeedsAttention || self.resolved >= DECISIONS_MAX {
            return false;
        }
        // What is about to ship fails first.
        let resolution = match hopeless && self.stored.works.is_empty() {
            true => Resolution::Cancel,
            false => Resolution::Resume,
        };
        let owed = order.captured_minor > order.refunded_minor;
        let undoing = order.saga.stopped_in == Some(State::Compensating);
        self.resolved += 1;
        self.money.provider.manners.refuses_refunds = 0;
        self.money.reconcile();
        self.money.provider.end_refunds();
        self.money.reconcile();
        if owed
            && undoing
            && let Some(id) = self.stored.order.payment_id
        {
            let key = format!("by hand:{}", self.resolved);
            self.paid_by_hand |= self.money.refund(&key, id, None).is_ok();
        }
        self.command("resolve", |case| case.resolve(resolution, "by hand"));
        true
    }
}

fn work<P: Plan>(id: Uuid, world: &World<'_, P>, kind: WorkKind) -> NewWork {
    NewWork {
        id,
        order_id: world.stored.order.id,
        kind,
        state: WorkState::Running,
        lines: Vec::new(),
        tracking: String::new(),
        restock: false,
        amount: None,
        reason: String::new(),
    }
}
