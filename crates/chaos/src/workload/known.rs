//! What the clients of a workload know, from what they were told: whom to
//! cancel, ship, return and refund, and which keys they have used.

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::history::{Asked, Units};

/// Old orders are left alone, and so memory is bounded.
const KEPT_MAX: usize = 2_000;

/// An order that was accepted.
#[derive(Debug, Clone)]
pub struct KnownOrder {
    pub id: String,
    /// Quantities by line, from line 1.
    pub quantities: Vec<i64>,
    pub total_minor: i64,
}

/// An order whose customer has to act.
#[derive(Debug, Clone)]
pub struct Action {
    pub order: String,
    pub intent: String,
}

#[derive(Debug, Clone)]
pub struct UsedKey {
    pub key: String,
    pub asked: Asked,
}

#[derive(Debug, Default)]
pub struct Known {
    open: Vec<KnownOrder>,
    shipped: Vec<KnownOrder>,
    actions: Vec<Action>,
    keys: Vec<UsedKey>,
}

impl Known {
    pub fn accepted(&mut self, order: KnownOrder) {
        keep(&mut self.open, order);
    }

    pub fn shipped(&mut self, order: KnownOrder) {
        keep(&mut self.shipped, order);
    }

    pub fn waits_for_customer(&mut self, action: Action) {
        keep(&mut self.actions, action);
    }

    pub fn used(&mut self, key: UsedKey) {
        keep(&mut self.keys, key);
    }

    pub fn peek_open(&self, dice: &mut StdRng) -> Option<KnownOrder> {
        any(&self.open, dice).map(|at| self.open[at].clone())
    }

    pub fn take_open(&mut self, dice: &mut StdRng) -> Option<KnownOrder> {
        any(&self.open, dice).map(|at| self.open.swap_remove(at))
    }

    pub fn peek_shipped(&self, dice: &mut StdRng) -> Option<KnownOrder> {
        any(&self.shipped, dice).map(|at| self.shipped[at].clone())
    }

    pub fn take_action(&mut self, dice: &mut StdRng) -> Option<Action> {
        any(&self.actions, dice).map(|at| self.actions.swap_remove(at))
    }

    pub fn take_key(&mut self, dice: &mut StdRng) -> Option<UsedKey> {
        any(&self.keys, dice).map(|at| self.keys.swap_remove(at))
    }
}

impl KnownOrder {
    /// One unit of one line.
    pub fn one_unit(&self, dice: &mut StdRng) -> Vec<Units> {
        let line = any(&self.quantities, dice).map_or(0, |at| at);
        let line = i32::try_from(line + 1).unwrap_or(1);
        vec![Units { line, quantity: 1 }]
    }
}

fn any<T>(of: &[T], dice: &mut StdRng) -> Option<usize> {
    (!of.is_empty()).then(|| dice.random_range(0..of.len()))
}

fn keep<T>(of: &mut Vec<T>, new: T) {
    if of.len() >= KEPT_MAX {
        of.remove(0);
    }
    of.push(new);
}
