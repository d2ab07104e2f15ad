//! A small, strict payment service with its provider inside.
//!
//! Payment methods: `pm_card_visa`, `pm_declined`, `pm_action`,
//! `pm_capture_fails` (always), `pm_capture_fails_once`, `pm_refund_pending`,
//! `pm_refund_fails`.

use std::collections::HashSet;
use std::sync::Mutex;

use api::common::v1::Money as PbMoney;
use api::payment::v1 as pb;
use pb::{PaymentState as State, TransferState};
use rpc::{Problem, Reason};
use types::{CaptureId, PaymentId, RefundId};

use super::keys::Keys;

#[derive(Clone)]
struct Paid {
    id: String,
    order: String,
    attempt: i32,
    method: String,
    currency: String,
    state: State,
    amount: i64,
    captured: i64,
    refunds: Vec<(String, i64, TransferState)>,
}

#[derive(Default)]
pub struct Books {
    payments: Vec<Paid>,
    tombstones: HashSet<String>,
    pub keys: Keys,
}

#[derive(Default)]
pub struct Money(pub Mutex<Books>);

/// What the books say of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Authorized and neither captured nor given back.
    pub promised: i64,
    pub captured: i64,
    pub refunded: i64,
    pub attempts: usize,
}

impl Money {
    pub fn account(&self, order: &str) -> Account {
        let books = self.0.lock().unwrap();
        let mut account = Account::default();
        for paid in books.payments.iter().filter(|paid| paid.order == order) {
            account.attempts += 1;
            account.captured += paid.captured;
            account.refunded += paid.refunded(TransferState::Succeeded);
            if matches!(paid.state, State::Authorized | State::RequiresAction) {
                account.promised += paid.amount;
            }
        }
        account
    }

    /// The customer does what the payment needs, or fails to.
    pub fn act(&self, order: &str, well: bool) {
        let mut books = self.0.lock().unwrap();
        let paid = books
            .payments
            .iter_mut()
            .find(|paid| paid.order == order)
            .unwrap();
        assert_eq!(paid.state, State::RequiresAction);
        paid.state = if well {
            State::Authorized
        } else {
            State::Declined
        };
    }

    /// The provider settles refunds that were pending.
    pub fn settle_refunds(&self, state: TransferState) {
        let mut books = self.0.lock().unwrap();
        for paid in &mut books.payments {
            for refund in &mut paid.refunds {
                if refund.2 == TransferState::Pending {
                    refund.2 = state;
                }
            }
        }
    }

    /// Somebody gives money back past the order service.
    pub fn refund_behind_its_back(&self, order: &str, minor: i64) {
        let mut books = self.0.lock().unwrap();
        let mut payments = books.payments.iter_mut();
        let paid = payments.find(|paid| paid.order == order).unwrap();
        let refund = RefundId::generate().to_string();
        paid.refunds.push((refund, minor, TransferState::Succeeded));
    }

    /// Somebody voids past the order service.
    pub fn void_behind_its_back(&self, order: &str) {
        let mut books = self.0.lock().unwrap();
        let mut payments = books.payments.iter_mut();
        let paid = payments.find(|paid| paid.order == order).unwrap();
        paid.state = State::Voided;
    }

    /// A payment for an order of which nobody else knows.
    pub fn pay_for(&self, order: &str) {
        let asked = pb::CreatePaymentRequest {
            order_id: order.to_owned(),
            attempt: 1,
            amount: Some(PbMoney {
                minor_units: 750,
                currency_code: "GBP".to_owned(),
            }),
            payment_method: "pm_card_visa".to_owned(),
        };
        self.0.lock().unwrap().create(&asked).unwrap();
    }

    /// Somebody captures past the order service.
    pub fn capture_behind_its_back(&self, order: &str) {
        let mut books = self.0.lock().unwrap();
        let paid = books
            .payments
            .iter_mut()
            .find(|paid| paid.order == order)
            .unwrap();
        paid.captured = paid.amount;
        paid.state = State::Captured;
    }
}

impl Paid {
    fn refunded(&self, state: TransferState) -> i64 {
        let refunds = self.refunds.iter();
        refunds
            .filter(|refund| refund.2 == state)
            .map(|refund| refund.1)
            .sum()
    }

    fn is_live(&self) -> bool {
        matches!(
            self.state,
            State::Authorized | State::RequiresAction | State::Captured
        )
    }

    fn money(&self, minor_units: i64) -> Option<PbMoney> {
        let currency_code = self.currency.clone();
        Some(PbMoney {
            minor_units,
            currency_code,
        })
    }

    fn show(&self) -> pb::Payment {
        let refunds = self.refunds.iter().map(|refund| self.show_refund(refund));
        pb::Payment {
            id: self.id.clone(),
            order_id: self.order.clone(),
            attempt: self.attempt,
            state: self.state as i32,
            amount: self.money(self.amount),
            captured: self.money(self.captured),
            refunded: self.money(self.refunded(TransferState::Succeeded)),
            refund_pending: self.money(self.refunded(TransferState::Pending)),
            action: (self.state == State::RequiresAction).then(|| pb::PaymentAction {
                redirect_url: "https://bank.example/act".to_owned(),
            }),
            refunds: refunds.collect(),
            ..Default::default()
        }
    }

    fn show_refund(&self, (id, minor, state): &(String, i64, TransferState)) -> pb::Refund {
        pb::Refund {
            id: id.clone(),
            payment_id: self.id.clone(),
            order_id: self.order.clone(),
            amount: self.money(*minor),
            state: *state as i32,
            ..Default::default()
        }
    }
}

impl Books {
    pub fn create(&mut self, asked: &pb::CreatePaymentRequest) -> Result<pb::Payment, Problem> {
        let order = &asked.order_id;
        let mut earlier = self.payments.iter().filter(|paid| paid.order == *order);
        if let Some(same) = earlier.clone().find(|paid| paid.attempt == asked.attempt) {
            return Ok(same.show());
        }
        if self.tombstones.contains(order) {
            return Err(Problem::new(Reason::PaymentVoided, "voided before"));
        }
        if earlier.any(Paid::is_live) {
            return Err(Problem::new(Reason::PaymentExists, "a payment lives"));
        }
        let amount = asked.amount.clone().unwrap();
        assert!(amount.minor_units > 0, "nothing is never authorized");
        let state = match asked.payment_method.as_str() {
            "pm_declined" => {
                return Err(
                    Problem::new(Reason::PaymentDeclined, "the card was declined")
                        .with_metadata("decline_code", "generic_decline"),
                );
            }
            "pm_action" => State::RequiresAction,
            _ => State::Authorized,
        };
        let paid = Paid {
            id: PaymentId::generate().to_string(),
            order: order.clone(),
            attempt: asked.attempt,
            method: asked.payment_method.clone(),
            currency: amount.currency_code,
            state,
            amount: amount.minor_units,
            captured: 0,
            refunds: Vec::new(),
        };
        let shown = paid.show();
        self.payments.push(paid);
        Ok(shown)
    }

    fn payment(&mut self, id: &str) -> Result<&mut Paid, Problem> {
        let found = self.payments.iter_mut().find(|paid| paid.id == id);
        found.ok_or_else(|| Problem::not_found("payment", id))
    }

    pub fn capture(&mut self, id: &str) -> Result<pb::CapturePaymentResponse, Problem> {
        let paid = self.payment(id)?;
        let fails = match paid.method.as_str() {
            "pm_capture_fails" => true,
            "pm_capture_fails_once" => paid.attempt == 1,
            _ => false,
        };
        if fails {
            return Err(Problem::new(Reason::CaptureRefused, "the provider refused"));
        }
        if paid.state != State::Authorized {
            return Err(Problem::new(Reason::IllegalTransition, "not authorized"));
        }
        paid.captured = paid.amount;
        paid.state = State::Captured;
        Ok(pb::CapturePaymentResponse {
            payment: Some(paid.show()),
            capture: Some(pb::Capture {
                id: CaptureId::generate().to_string(),
                payment_id: paid.id.clone(),
                amount: paid.money(paid.captured),
                state: TransferState::Succeeded as i32,
                ..Default::default()
            }),
        })
    }

    pub fn void(
        &mut self,
        asked: &pb::VoidPaymentRequest,
    ) -> Result<pb::VoidPaymentResponse, Problem> {
        let found = match asked.target.as_ref().unwrap() {
            pb::void_payment_request::Target::PaymentId(id) => Some(self.payment(id)?),
            pb::void_payment_request::Target::OrderId(order) => {
                self.tombstones.insert(order.clone());
                let payments = self.payments.iter_mut().rev();
                payments
                    .filter(|paid| paid.order == *order)
                    .find(|paid| paid.is_live())
            }
        };
        let Some(paid) = found else {
            return Ok(pb::VoidPaymentResponse { payment: None });
        };
        if paid.captured > 0 {
            return Err(Problem::new(
                Reason::IllegalTransition,
                "captured: refund it",
            ));
        }
        paid.state = State::Voided;
        Ok(pb::VoidPaymentResponse {
            payment: Some(paid.show()),
        })
    }

    pub fn refund(
        &mut self,
        asked: &pb::RefundPaymentRequest,
    ) -> Result<pb::RefundPaymentResponse, Problem> {
        let paid = self.payment(&asked.payment_id)?;
        let taken = paid.refunded(TransferState::Succeeded) + paid.refunded(TransferState::Pending);
        let left = paid.captured - taken;
        let amount = asked
            .amount
            .as_ref()
            .map_or(left, |amount| amount.minor_units);
        assert!(amount > 0, "nothing is never refunded");
        if taken + amount > paid.captured {
            return Err(Problem::new(Reason::RefundExceedsCaptured, "too much"));
        }
        let state = match paid.method.as_str() {
            "pm_refund_fails" => {
                return Err(Problem::new(Reason::RefundRefused, "the provider refused"));
            }
            "pm_refund_pending" => TransferState::Pending,
            _ => TransferState::Succeeded,
        };
        let refund = (RefundId::generate().to_string(), amount, state);
        paid.refunds.push(refund.clone());
        Ok(pb::RefundPaymentResponse {
            refund: Some(paid.show_refund(&refund)),
            payment: Some(paid.show()),
        })
    }

    pub fn list(&self, order: &str) -> pb::ListPaymentsResponse {
        let payments = self.payments.iter().rev();
        let payments = payments.filter(|paid| paid.order == order);
        pb::ListPaymentsResponse {
            payments: payments.map(Paid::show).collect(),
            next_page_token: String::new(),
        }
    }

    pub fn get(&mut self, asked: &pb::GetPaymentRequest) -> Result<pb::Payment, Problem> {
        match asked.target.as_ref().unwrap() {
            pb::get_payment_request::Target::PaymentId(id) => Ok(self.payment(id)?.show()),
            pb::get_payment_request::Target::OrderId(order) => {
                let found = self.payments.iter().rev().find(|paid| paid.order == *order);
                let found = found.ok_or_else(|| Problem::not_found("payment", order))?;
                Ok(found.show())
            }
        }
    }
}
