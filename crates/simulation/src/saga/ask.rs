//! What each step asks of the two peers, and what their answers mean for the
//! saga: the part of order-service that knows the peers.

use inventory_service::domain::{Demand, GoodsBack, Refusal as NoStock, Shipment};
use order_service::domain::{Answer, Case, Order, Refusal, Step, Task, Work};
use payment_service::domain::{Account, NewPayment, Payment, State, TransferState};
use types::{FulfillmentId, Money, PaymentId, Quantity, ReturnId};

use super::{Plan, World};
use crate::money::{Later, Said, Target};

type Answered = Result<Answer, Later>;

/// Whether the step needs a peer.
pub(super) fn is_asked(step: Step) -> bool {
    !matches!(
        step,
        Step::Confirm | Step::Conclude | Step::Rest | Step::Work(Task::Close(_))
    )
}

/// Whether the step needs payment-service.
pub(super) fn is_about_money(step: Step) -> bool {
    matches!(
        step,
        Step::Pay
            | Step::AskPayment
            | Step::Capture
            | Step::DropAttempt
            | Step::Void
            | Step::RefundRest
            | Step::Work(Task::PayBack(_))
    )
}

impl<P: Plan> World<'_, P> {
    pub(super) fn ask(&mut self, case: &Case, step: Step) -> Answered {
        let order = &case.order;
        self.calls += 1;
        let answered = match step {
            Step::Reserve { round } => {
                let key = self.key(format!("reserve:{round}:{}", self.deployed));
                let lines = order
                    .lines
                    .iter()
                    .map(|line| (line.sku.clone(), line.quantity));
                let reserved = self.stock.reserve(&key, order.id, Demand::of(lines));
                Ok(reserved.map_or_else(
                    |no| refused(&no),
                    |reservation| {
                        let lines = reservation.lines.into_iter();
                        Answer::Reserved(lines.map(|line| (line.sku, line.list_price)).collect())
                    },
                ))
            }
            Step::Commit { round } => {
                let key = self.key(format!("commit:{round}"));
                Ok(match self.stock.commit(&key, order.id) {
                    Ok(_) => Answer::Done,
                    Err(NoStock::ReservationExpired(_)) => Answer::HoldExpired,
                    Err(no) => refused(&no),
                })
            }
            Step::Release => {
                let key = self.key("release".to_owned());
                let released = self.stock.release(&key, order.id);
                Ok(released.map_or_else(|no| refused(&no), |()| Answer::Done))
            }
            Step::Pay => self.pay(order),
            Step::AskPayment => self
                .payment(order)
                .and_then(|seen| authorization(&seen.payment)),
            Step::Capture => self.capture(order),
            Step::DropAttempt => {
                let key = self.key(format!("void:{}", order.saga.attempt));
                let target = order.payment_id.map(Target::Payment);
                self.void(order, &key, target)
            }
            Step::Void => {
                let key = self.key("void".to_owned());
                self.void(order, &key, Some(Target::Order))
            }
            Step::RefundRest => {
                let rest = order.money(order.captured_minor - order.refunded_minor);
                let key = self.key("refund:cancel".to_owned());
                match self.refund(order, &key, rest)? {
                    Answer::Refused(no) => {
                        let payment = self.payment(order)?.payment;
                        Ok(match payment.refunded_minor == payment.captured_minor {
                            true => Answer::Done,
                            false => Answer::Refused(no),
                        })
                    }
                    answer => Ok(answer),
                }
            }
            Step::Work(task) => self.work(case, task),
            Step::Confirm | Step::Conclude | Step::Rest => Ok(Answer::Done),
        };
        self.look_at_peers();
        answered
    }

    fn key(&self, name: String) -> String {
        match self.rules.fresh_keys {
            true => format!("{name}#{}", self.calls),
            false => name,
        }
    }

    fn work(&mut self, case: &Case, task: Task) -> Answered {
        let find = |id| case.work(id).cloned();
        match task {
            Task::Ship(id) => {
                let Some(work) = find(id) else {
                    return Ok(no("INTERNAL"));
                };
                let shipment = Shipment {
                    order_id: case.order.id,
                    fulfillment_id: FulfillmentId::from_uuid(id),
                    demand: demand(&case.order, &work),
                };
                let key = self.key(format!("fulfill:{id}"));
                let shipped = self.stock.ship(&key, &shipment);
                Ok(shipped.map_or_else(|no| refused(&no), |_| Answer::Done))
            }
            Task::Restock(id) => {
                let Some(work) = find(id) else {
                    return Ok(no("INTERNAL"));
                };
                let back = GoodsBack {
                    order_id: case.order.id,
                    return_id: ReturnId::from_uuid(id),
                    demand: demand(&case.order, &work),
                    location_id: None,
                };
                let key = self.key(format!("return:{id}"));
                let taken = self.stock.take_back(&key, &back);
                Ok(taken.map_or_else(|no| refused(&no), |_| Answer::Done))
            }
            Task::PayBack(id) => {
                let Some(work) = find(id) else {
                    return Ok(no("INTERNAL"));
                };
                let amount = work.amount.unwrap_or(case.order.money(0));
                let key = self.key(format!("refund:{id}"));
                self.refund(&case.order, &key, amount)
            }
            Task::Close(_) => Ok(Answer::Done),
        }
    }

    fn pay(&mut self, order: &Order) -> Answered {
        let new = NewPayment {
            order_id: order.id,
            attempt: order.saga.attempt.into(),
            amount: order.total.unwrap_or(order.money(0)),
            payment_method: order.payment_method.clone(),
            traceparent: None,
        };
        let key = self.key(format!("pay:{}", order.saga.attempt));
        match self.money.create(&key, &new)? {
            Said::Payment(payment) => authorization(&payment),
            said => definite(said),
        }
    }

    fn capture(&mut self, order: &Order) -> Answered {
        let Some(id) = order.payment_id else {
            return Ok(no("INTERNAL"));
        };
        let key = self.key(format!("capture:{}", order.saga.attempt));
        match self.money.capture(&key, id, None, true)? {
            Said::Captured(payment) => Ok(captured(&payment)),
            // A capture of what is captured already is no refusal.
            Said::No(code) => {
                let payment = self.payment(order)?.payment;
                match (payment.captured_minor, payment.capture_pending_minor) {
                    (0, 0) => Ok(no(code)),
                    (0, _) => Err(Later),
                    _ => Ok(captured(&payment)),
                }
            }
            said => definite(said),
        }
    }

    fn void(&mut self, order: &Order, key: &str, target: Option<Target>) -> Answered {
        let Some(target) = target else {
            return Ok(no("INTERNAL"));
        };
        match self.money.void(key, target)? {
            Said::Payment(payment) => Ok(Answer::Voided(Some(payment.id))),
            Said::Nothing => Ok(Answer::Voided(None)),
            Said::No(code) => {
                let payment = self.payment(order)?.payment;
                match (payment.captured_minor, payment.capture_pending_minor) {
                    (0, 0) if payment.state.is_dead() => Ok(Answer::Voided(Some(payment.id))),
                    (0, 0) => Ok(no(code)),
                    (0, _) => Err(Later),
                    _ => Ok(captured(&payment)),
                }
            }
            said => definite(said),
        }
    }

    fn refund(&mut self, order: &Order, key: &str, amount: Money) -> Answered {
        let Some(id) = order.payment_id else {
            return Ok(no("INTERNAL"));
        };
        match self.money.refund(key, id, Some(amount))? {
            Said::Refund(_, TransferState::Succeeded) => Ok(Answer::Done),
            Said::Refund(refund, _) => {
                let seen = self.payment(order)?;
                let refund = seen.refunds.iter().find(|one| one.id == refund);
                match refund.map(|one| one.state) {
                    Some(TransferState::Succeeded) => Ok(Answer::Done),
                    Some(TransferState::Failed) => Ok(no("REFUND_REFUSED")),
                    Some(TransferState::Pending) | None => Err(Later),
                }
            }
            said => definite(said),
        }
    }

    fn payment(&mut self, order: &Order) -> Result<Account, Later> {
        self.money.get(order.payment_id).ok_or(Later)
    }
}

fn authorization(payment: &Payment) -> Answered {
    match payment.state {
        State::Authorized | State::PartiallyCaptured | State::Captured => {
            Ok(Answer::Authorized(payment.id))
        }
        State::RequiresAction => Ok(Answer::ActionRequired {
            payment: payment.id,
            url: String::new(),
        }),
        State::Created | State::Processing => Err(Later),
        State::Voided | State::Declined | State::Expired | State::Failed => {
            Ok(no("PAYMENT_DECLINED"))
        }
    }
}

fn captured(payment: &Payment) -> Answer {
    let id: PaymentId = payment.id;
    Answer::Captured {
        payment: id,
        minor: payment.captured_minor,
    }
}

fn definite(said: Said) -> Answered {
    match said {
        Said::No(code) => Ok(no(code)),
        Said::Payment(_) | Said::Nothing | Said::Captured(_) | Said::Refund(..) => {
            Ok(no("INTERNAL"))
        }
    }
}

fn no(code: &str) -> Answer {
    Answer::Refused(Refusal::new(code, "no"))
}

fn refused(refusal: &NoStock) -> Answer {
    no(match refusal {
        NoStock::OutOfStock { .. } => "OUT_OF_STOCK",
        NoStock::UnknownSku { .. } => "UNKNOWN_SKU",
        NoStock::ReservationExpired(_) => "RESERVATION_EXPIRED",
        NoStock::ReservationReleased(_) => "RESERVATION_RELEASED",
        NoStock::ReservationDiffers(_) => "RESERVATION_DIFFERS",
        NoStock::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
        NoStock::ExceedsRemaining { .. } => "EXCEEDS_REMAINING",
        NoStock::InsufficientStock { .. } => "INSUFFICIENT_STOCK",
        NoStock::ReservationNotFound(_)
        | NoStock::ItemNotFound(_)
        | NoStock::UnknownLocation(_)
        | NoStock::StockCommitted { .. }
        | NoStock::EtagMismatch { .. } => "NOT_FOUND",
    })
}

fn demand(order: &Order, work: &Work) -> Demand {
    let lines = work.lines.iter();
    Demand::of(lines.filter_map(|(number, units)| {
        let sku = order.line(*number)?.sku.clone();
        Some((sku, Quantity::try_from(*units).ok()?))
    }))
}
