//! The way to a confirmed and captured order: what each answer makes of it.

use types::PaymentId;

use super::case::refusal_of;
use super::{Answer, CaptureMethod, Case, Effect, Hold, Kind, Refusal, State, Target, Then};

const DECLINED: &str = "PAYMENT_DECLINED";

impl Case {
    pub(super) fn reserved(&mut self, round: u8, answer: Answer) -> Then {
        match answer {
            Answer::Reserved(prices) => {
                self.hold = Hold::Held;
                if round > 1 {
                    return Then::Go;
                }
                if let Err(refusal) = self.order.price(&prices) {
                    self.never_paid();
                    return self.turn_back(Target::Rejected, refusal);
                }
                if self.order.is_free() {
                    self.order.saga.payment = Effect::Absent;
                }
                Then::Go
            }
            Answer::Refused(refusal) if round == 1 && self.nothing_stands(&refusal) => {
                self.order.saga.stock = Effect::Absent;
                self.order.saga.payment = Effect::Absent;
                self.end(State::Rejected, Kind::Rejected, refusal)
            }
            other => self.turn_back(Target::Rejected, refusal_of(other)),
        }
    }

    /// A first Reserve that is refused all or nothing holds nothing, and money
    /// is asked for after it only. The peer keeps the refusal under the key, so
    /// a late copy of the call gets it too, and no tombstone is needed.
    pub(super) fn nothing_stands(&self, refusal: &Refusal) -> bool {
        self.first_run
            && !self.asked_to_pay
            && matches!(refusal.code.as_str(), "OUT_OF_STOCK" | "UNKNOWN_SKU")
    }

    pub(super) fn never_paid(&mut self) {
        if self.first_run && !self.asked_to_pay {
            self.order.saga.payment = Effect::Absent;
        }
    }

    pub(super) fn paid(&mut self, answer: Answer) -> Then {
        self.asked_to_pay = true;
        let confirmed = self.order.state.is_confirmed();
        match answer {
            Answer::Authorized(payment) => {
                self.order.saga.payment = Effect::Done;
                self.order.payment_id = Some(payment);
                if !confirmed {
                    return Then::Go;
                }
                self.order.saga.capture = Effect::Begun;
                Then::Write(self.change(Kind::PaymentAuthorized))
            }
            Answer::ActionRequired { payment, url } if !confirmed => {
                self.order.payment_id = Some(payment);
                self.order.action_url = url;
                let from = self.order.state;
                self.order.state = State::AwaitingPaymentAction;
                Then::Write(self.changed(from, Kind::PaymentActionRequired))
            }
            Answer::ActionRequired { .. } => {
                let refusal = Refusal::new(
                    "CAPTURE_REFUSED",
                    "the authorization was lost and a new one needs the customer",
                );
                self.turn_back(Target::Cancelled, refusal)
            }
            other => {
                let refusal = refusal_of(other);
                if refusal.code == DECLINED {
                    self.order.saga.payment = Effect::Undone;
                }
                match confirmed {
                    true => self.turn_back(Target::Cancelled, capture_refused(&refusal)),
                    false => self.turn_back(Target::Rejected, refusal),
                }
            }
        }
    }

    pub(super) fn asked(&mut self, answer: Answer) -> Then {
        match answer {
            Answer::Authorized(payment) => {
                self.order.saga.payment = Effect::Done;
                self.order.payment_id = Some(payment);
                Then::Go
            }
            Answer::ActionRequired { .. } if self.action_overdue => self.action_timeout(),
            Answer::ActionRequired { .. } => Then::Wait,
            other => {
                let refusal = refusal_of(other);
                if refusal.code == DECLINED {
                    self.order.saga.payment = Effect::Undone;
                }
                self.turn_back(Target::Rejected, refusal)
            }
        }
    }

    pub(super) fn committed(&mut self, round: u8, answer: Answer) -> Then {
        match answer {
            Answer::Done => {
                self.hold = Hold::Committed;
                Then::Go
            }
            Answer::HoldExpired if round == 1 => {
                self.hold = Hold::Unknown;
                self.round = 2;
                Then::Go
            }
            Answer::HoldExpired => {
                let message = "the stock was held twice and ran out twice";
                let refusal = Refusal::new("RESERVATION_EXPIRED", message);
                self.turn_back(Target::Rejected, refusal)
            }
            other => self.turn_back(Target::Rejected, refusal_of(other)),
        }
    }

    pub(super) fn confirm(&mut self) -> Then {
        let from = self.order.state;
        let automatic = self.order.capture_method == CaptureMethod::Automatic;
        self.order.saga.stock = Effect::Done;
        if automatic && self.order.saga.payment == Effect::Done {
            self.order.saga.capture = Effect::Begun;
        }
        self.order.state = State::Confirmed;
        self.order.action_url = String::new();
        Then::Write(self.changed(from, Kind::Confirmed))
    }

    pub(super) fn captured(&mut self, answer: Answer) -> Then {
        let compensating = self.order.state == State::Compensating;
        match answer {
            Answer::Captured { payment, minor } => self.note_captured(payment, minor),
            // Settled: nothing was taken, so the authorization can be voided.
            _ if compensating => {
                self.order.saga.capture = Effect::Undone;
                Then::Go
            }
            _ if self.order.saga.attempt == 1 => {
                self.capture_refused = true;
                Then::Go
            }
            other => {
                self.order.saga.capture = Effect::Undone;
                self.turn_back(Target::Cancelled, capture_refused(&refusal_of(other)))
            }
        }
    }

    pub(super) fn note_captured(&mut self, payment: PaymentId, minor: i64) -> Then {
        self.order.saga.capture = Effect::Done;
        self.order.payment_id = Some(payment);
        self.order.captured_minor = minor;
        Then::Write(self.change(Kind::PaymentCaptured))
    }

    pub(super) fn dropped(&mut self, answer: Answer) -> Then {
        self.capture_refused = false;
        if let Answer::Captured { payment, minor } = answer {
            return self.note_captured(payment, minor);
        }
        let saga = &mut self.order.saga;
        saga.attempt += 1;
        saga.payment = Effect::Begun;
        saga.capture = Effect::Absent;
        self.order.payment_id = None;
        Then::Write(self.change(Kind::PaymentRetried))
    }
}

fn capture_refused(cause: &Refusal) -> Refusal {
    let message = format!("the money could not be captured: {}", cause.message);
    Refusal::new("CAPTURE_REFUSED", message).with("cause", &cause.code)
}
