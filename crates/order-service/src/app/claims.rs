//! The orders that this process works on. Only a hint: what counts is the
//! epoch in the database, on which every write is conditional.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use types::OrderId;

#[derive(Debug, Clone, Default)]
pub struct Claims(Arc<Mutex<HashMap<OrderId, i64>>>);

/// One run of a saga under its claim.
#[derive(Debug)]
pub struct Claim {
    order: OrderId,
    epoch: i64,
    claims: Claims,
}

impl Claims {
    /// A later claim on the same order makes an earlier one stop.
    pub fn enter(&self, order: OrderId, epoch: i64) -> Claim {
        let mut claims = self.0.lock();
        let held = claims.entry(order).or_insert(epoch);
        *held = epoch.max(*held);
        Claim {
            order,
            epoch,
            claims: self.clone(),
        }
    }

    pub fn all(&self) -> Vec<(OrderId, i64)> {
        let claims = self.0.lock();
        claims
            .iter()
            .map(|(order, epoch)| (*order, *epoch))
            .collect()
    }

    /// Does the order's saga run in this process?
    pub fn holds(&self, order: OrderId) -> bool {
        self.0.lock().contains_key(&order)
    }

    pub fn count(&self) -> usize {
        self.0.lock().len()
    }
}

impl Claim {
    /// False once this process itself has claimed the order anew.
    pub fn is_latest(&self) -> bool {
        self.claims.0.lock().get(&self.order) == Some(&self.epoch)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = self.claims.0.lock();
        if claims.get(&self.order) == Some(&self.epoch) {
            claims.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_claim_ends_an_earlier_one_and_survives_it() {
        let claims = Claims::default();
        let order = OrderId::generate();
        let first = claims.enter(order, 1);
        assert!(first.is_latest());
        let second = claims.enter(order, 2);
        assert!(!first.is_latest());
        drop(first);
        assert!(second.is_latest());
        assert_eq!(claims.all(), [(order, 2)]);
        drop(second);
        assert_eq!(claims.count(), 0);
    }
}
