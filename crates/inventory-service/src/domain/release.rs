//! Giving up what an order still holds.

use types::OrderId;

use super::{
    changes::LinesTouched,
    refusal::Refusal,
    reservation::{Reservation, State},
    stockroom::Stockroom,
};

impl Stockroom {
    /// An order that is not known leaves a tombstone, so that a Reserve that
    /// is still on its way is refused when it arrives.
    pub fn release(&mut self, order_id: OrderId, reason: &str) -> Result<Reservation, Refusal> {
        let Some(reservation) = self.reservations.get(&order_id) else {
            self.add_tombstone(order_id, reason);
            return self.answer(order_id);
        };
        match reservation.state {
            State::Released | State::Tombstone => {}
            State::Committed | State::Fulfilled if reservation.has_shipped() => {
                return Err(Refusal::IllegalTransition {
                    order_id,
                    from: reservation.state.name(),
                    verb: "released",
                });
            }
            // An expired hold holds nothing, yet could be reserved anew.
            State::Held { .. } | State::Committed | State::Fulfilled | State::Expired => {
                self.give_back(order_id, reason);
            }
        }
        self.answer(order_id)
    }

    pub(super) fn give_back(&mut self, order_id: OrderId, reason: &str) {
        self.change_state(order_id, State::Released);
        self.change_reservation(order_id, LinesTouched::No, |reservation| {
            reservation.reason = reason.to_owned();
        });
    }

    fn add_tombstone(&mut self, order_id: OrderId, reason: &str) {
        self.add_reservation(Reservation {
            order_id,
            state: State::Tombstone,
            fingerprint: None,
            lines: Vec::new(),
            reason: reason.to_owned(),
            version: 1,
            events: 0,
            created_at: self.now,
        });
    }
}
