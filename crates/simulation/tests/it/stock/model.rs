//! What the stock should be: how much of what each order has.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use super::{HOLD, ON_HAND};

const ORDERS: u8 = 4;

/// Units of each SKU.
pub type Units = [i64; 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Until then.
    Held(u64),
    Committed,
    Shipped,
    Expired,
    Released,
    Tombstone,
}

#[derive(Debug, Clone)]
pub struct Promise {
    pub phase: Phase,
    pub units: Units,
    pub shipped: Units,
    pub returned: Units,
}

/// What the stock should be.
#[derive(Debug, Clone)]
pub struct Model {
    /// Seconds.
    pub now: u64,
    pub on_hand: Units,
    pub promises: BTreeMap<u8, Promise>,
    pub shipments: Vec<(u8, u8)>,
    pub returns: Vec<(u8, u8)>,
}

#[derive(Debug, Clone)]
pub enum Verb {
    Reserve(u8, Units),
    Commit(u8),
    Release(u8),
    Extend(u8),
    /// All that is left of an order, under this id.
    Ship(u8, u8),
    /// One unit of this SKU comes back, under this id.
    Return(u8, u8, usize),
    Found(usize, usize, i64),
    Wait(u64),
    Sweep,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Says {
    Yes,
    OutOfStock,
    Expired,
    Released,
    Differs,
    Illegal,
    Exceeds,
    NotFound,
    Insufficient,
}

impl Model {
    fn is_live(promise: &Promise) -> bool {
        matches!(promise.phase, Phase::Held(_) | Phase::Committed)
    }

    pub fn promised(&self, sku: usize) -> i64 {
        let live = self.promises.values().filter(|one| Self::is_live(one));
        live.map(|one| one.units[sku] - one.shipped[sku]).sum()
    }

    fn run_out(&mut self, order: Option<u8>) {
        for (id, promise) in &mut self.promises {
            let asked = order.is_none_or(|order| order == *id);
            if let Phase::Held(until) = promise.phase
                && asked
                && until <= self.now
            {
                promise.phase = Phase::Expired;
            }
        }
    }

    fn phase(&self, order: u8) -> Option<Phase> {
        self.promises.get(&order).map(|promise| promise.phase)
    }

    fn set(&mut self, order: u8, phase: Phase) {
        if let Some(promise) = self.promises.get_mut(&order) {
            promise.phase = phase;
        }
    }

    fn reserve(&mut self, order: u8, units: Units) -> Says {
        self.run_out(None);
        if let Some(known) = self.promises.get(&order) {
            match known.phase {
                Phase::Released | Phase::Tombstone => return Says::Released,
                _ if known.units != units => return Says::Differs,
                Phase::Expired => {}
                Phase::Held(_) | Phase::Committed | Phase::Shipped => return Says::Yes,
            }
        }
        let free = |sku: usize| self.on_hand[sku] - self.promised(sku);
        if (0..2).any(|sku| units[sku] > free(sku)) {
            return Says::OutOfStock;
        }
        let promise = Promise {
            phase: Phase::Held(self.now + HOLD.as_secs()),
            units,
            shipped: [0, 0],
            returned: [0, 0],
        };
        self.promises.insert(order, promise);
        Says::Yes
    }

    fn release(&mut self, order: u8) -> Says {
        let Some(promise) = self.promises.get(&order) else {
            let tombstone = Promise {
                phase: Phase::Tombstone,
                units: [0, 0],
                shipped: [0, 0],
                returned: [0, 0],
            };
            self.promises.insert(order, tombstone);
            return Says::Yes;
        };
        match promise.phase {
            Phase::Shipped => return Says::Illegal,
            Phase::Tombstone | Phase::Released => {}
            Phase::Held(_) | Phase::Committed | Phase::Expired => self.set(order, Phase::Released),
        }
        Says::Yes
    }

    fn ship(&mut self, order: u8, id: u8) -> Says {
        match self.phase(order) {
            None => return Says::NotFound,
            Some(Phase::Shipped) => return Says::Yes,
            Some(_) if self.shipments.contains(&(order, id)) => return Says::Yes,
            Some(Phase::Expired) => return Says::Expired,
            Some(Phase::Released | Phase::Tombstone) => return Says::Released,
            Some(Phase::Held(_)) => return Says::Illegal,
            Some(Phase::Committed) => {}
        }
        if let Some(promise) = self.promises.get_mut(&order) {
            for sku in 0..2 {
                self.on_hand[sku] -= promise.units[sku] - promise.shipped[sku];
            }
            promise.shipped = promise.units;
            promise.phase = Phase::Shipped;
        }
        self.shipments.push((order, id));
        Says::Yes
    }

    fn take_back(&mut self, order: u8, id: u8, sku: usize) -> Says {
        let Some(promise) = self.promises.get_mut(&order) else {
            return Says::NotFound;
        };
        if self.returns.contains(&(order, id)) {
            return Says::Yes;
        }
        if promise.shipped[sku] - promise.returned[sku] < 1 {
            return Says::Exceeds;
        }
        promise.returned[sku] += 1;
        self.on_hand[sku] += 1;
        self.returns.push((order, id));
        Says::Yes
    }

    /// What the verb must answer.
    pub fn act(&mut self, verb: &Verb) -> Says {
        self.now += 1;
        match *verb {
            Verb::Reserve(order, units) => self.reserve(order, units),
            Verb::Commit(order) => {
                self.run_out(Some(order));
                match self.phase(order) {
                    None => Says::NotFound,
                    Some(Phase::Held(_)) => {
                        self.set(order, Phase::Committed);
                        Says::Yes
                    }
                    Some(Phase::Committed | Phase::Shipped) => Says::Yes,
                    Some(Phase::Expired) => Says::Expired,
                    Some(Phase::Released | Phase::Tombstone) => Says::Released,
                }
            }
            Verb::Release(order) => self.release(order),
            Verb::Extend(order) => match self.phase(order) {
                None => Says::NotFound,
                Some(Phase::Held(until)) if until <= self.now => Says::Expired,
                Some(Phase::Held(until)) => {
                    let later = until.max(self.now + HOLD.as_secs());
                    self.set(order, Phase::Held(later));
                    Says::Yes
                }
                Some(Phase::Expired) => Says::Expired,
                Some(Phase::Released | Phase::Tombstone) => Says::Released,
                Some(Phase::Committed | Phase::Shipped) => Says::Illegal,
            },
            Verb::Ship(order, id) => self.ship(order, id),
            Verb::Return(order, id, sku) => self.take_back(order, id, sku),
            Verb::Found(sku, _, units) => {
                self.on_hand[sku] += units;
                Says::Yes
            }
            Verb::Wait(seconds) => {
                self.now += seconds;
                Says::Yes
            }
            Verb::Sweep => {
                self.run_out(None);
                Says::Yes
            }
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Verb;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model {
            now: 0,
            on_hand: [2 * ON_HAND; 2],
            promises: BTreeMap::new(),
            shipments: Vec::new(),
            returns: Vec::new(),
        })
        .boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Verb> {
        let order = || 0..ORDERS;
        let units = (0..5_i64, 1..5_i64).prop_map(|(ink, pen)| [ink, pen]);
        prop_oneof![
            6 => (order(), units).prop_map(|(order, units)| Verb::Reserve(order, units)),
            5 => order().prop_map(Verb::Commit),
            2 => order().prop_map(Verb::Release),
            1 => order().prop_map(Verb::Extend),
            4 => (order(), 0..3_u8).prop_map(|(order, id)| Verb::Ship(order, id)),
            3 => (order(), 0..3_u8, 0..2_usize)
                .prop_map(|(order, id, sku)| Verb::Return(order, id, sku)),
            1 => (0..2_usize, 0..2_usize, 1..3_i64)
                .prop_map(|(sku, at, units)| Verb::Found(sku, at, units)),
            2 => (1..700_u64).prop_map(Verb::Wait),
            1 => Just(Verb::Sweep),
        ]
        .boxed()
    }

    fn apply(mut model: Model, verb: &Verb) -> Model {
        model.act(verb);
        model
    }
}
