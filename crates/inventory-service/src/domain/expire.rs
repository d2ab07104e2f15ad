//! Ending holds whose time is over.

use types::OrderId;

use super::{changes::EventKind, reservation::State, stockroom::Stockroom};

impl Stockroom {
    /// Ends every loaded hold that is overdue; gives how many there were.
    pub fn expire_overdue(&mut self) -> usize {
        let overdue: Vec<OrderId> = self
            .reservations
            .values()
            .filter(|reservation| {
                reservation.is_overdue(self.now)
                    || failpoint::planted!("expiry-ignores-commit")
                        && reservation.state == State::Committed
            })
            .map(|reservation| reservation.order_id)
            .collect();
        for &order_id in &overdue {
            self.expire(order_id);
        }
        overdue.len()
    }

    pub(super) fn expire_if_overdue(&mut self, order_id: OrderId) {
        let reservation = self.reservations.get(&order_id);
        if reservation.is_some_and(|reservation| reservation.is_overdue(self.now)) {
            self.expire(order_id);
        }
    }

    fn expire(&mut self, order_id: OrderId) {
        self.change_state(order_id, State::Expired);
        self.emit(order_id, EventKind::ReservationExpired);
    }
}
