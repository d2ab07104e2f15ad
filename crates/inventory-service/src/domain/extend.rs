//! Holding longer.

use std::time::Duration;

use types::OrderId;

use super::{
    changes::LinesTouched,
    refusal::Refusal,
    reservation::{Reservation, State},
    stockroom::Stockroom,
};

impl Stockroom {
    /// Moves the end of a hold to `ttl` from now, never to an earlier time. An
    /// overdue hold is left to those who expire it.
    pub fn extend(&mut self, order_id: OrderId, ttl: Duration) -> Result<Reservation, Refusal> {
        let reservation = self.reservation(order_id)?;
        let expires_at = match reservation.state {
            State::Held { .. } if reservation.is_overdue(self.now) => {
                return Err(Refusal::ReservationExpired(order_id));
            }
            State::Held { expires_at } => expires_at,
            State::Expired => return Err(Refusal::ReservationExpired(order_id)),
            State::Released | State::Tombstone => {
                return Err(Refusal::ReservationReleased(order_id));
            }
            State::Committed | State::Fulfilled => {
                return Err(Refusal::IllegalTransition {
                    order_id,
                    from: reservation.state.name(),
                    verb: "extended",
                });
            }
        };
        let later = self.now + ttl;
        if later > expires_at {
            self.change_reservation(order_id, LinesTouched::No, |reservation| {
                reservation.state = State::Held { expires_at: later };
            });
        }
        self.answer(order_id)
    }
}
