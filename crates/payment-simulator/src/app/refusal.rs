//! Refusals in Stripe's words.

use super::{App, AppError};
use crate::books::Answer;
use crate::books::intent::{Intent, Refusal, Status};
use crate::wire::{PaymentIntent, Problem, render};

const UNEXPECTED_STATE: &str = "payment_intent_unexpected_state";

impl App {
    pub(super) fn problem(&self, refusal: &Refusal, intent: &Intent) -> Result<Problem, AppError> {
        let mut problem = problem(refusal, intent);
        problem.error.payment_intent = Some(render(&PaymentIntent::of(intent, &self.public_url))?);
        Ok(problem)
    }

    /// 402: the bank said no.
    pub(super) fn declined(&self, intent: &Intent) -> Result<Answer, AppError> {
        let mut problem = Problem::new(402, "card_error", "Your card was declined.");
        if let Some(error) = &intent.last_error {
            problem = problem.code(error.code.clone());
            problem.error.message.clone_from(&error.message);
            problem.error.decline_code.clone_from(&error.decline_code);
            problem.error.charge.clone_from(&error.charge);
        }
        problem.error.payment_intent = Some(render(&PaymentIntent::of(intent, &self.public_url))?);
        Ok(Answer {
            status: problem.status,
            body: problem.body()?,
        })
    }
}

fn problem(refusal: &Refusal, intent: &Intent) -> Problem {
    match refusal {
        Refusal::NotConfirmable(status) => unconfirmable(*status),
        Refusal::NoPaymentMethod => Problem::invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.",
        )
        .code(UNEXPECTED_STATE),
        Refusal::NoActionPending(status) => Problem::invalid(format!(
            "This PaymentIntent has a status of {} and waits for no action.",
            status.as_str()
        ))
        .code(UNEXPECTED_STATE),
        Refusal::NotCapturable(status) => Problem::invalid(format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.",
            status.as_str()
        ))
        .code(UNEXPECTED_STATE),
        Refusal::CaptureTooLarge { asked_minor, left_minor } => Problem::invalid(format!(
            "The amount_to_capture ({asked_minor}) must be less than or equal to the amount_capturable ({left_minor})."
        ))
        .code("amount_too_large")
        .param("amount_to_capture"),
        Refusal::AuthorizationGone => Problem::invalid(
            "The charge can no longer be captured because its authorization has expired.",
        )
        .code("charge_expired_for_capture"),
        Refusal::NotCancelable(status) => Problem::invalid(format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.",
            status.as_str()
        ))
        .code(UNEXPECTED_STATE),
        Refusal::NothingCaptured => Problem::invalid(format!(
            "This PaymentIntent ({}) does not have a successful charge to refund.",
            intent.id
        ))
        .code(UNEXPECTED_STATE)
        .param("payment_intent"),
        Refusal::AlreadyRefunded => Problem::invalid(format!(
            "Charge {} has already been refunded.",
            intent.charge.as_deref().unwrap_or_default()
        ))
        .code("charge_already_refunded"),
        Refusal::RefundTooLarge { asked_minor, left_minor } => Problem::invalid(format!(
            "Refund amount ({asked_minor}) is greater than unrefunded amount on charge ({left_minor})"
        ))
        .code("amount_too_large")
        .param("amount"),
    }
}

fn unconfirmable(status: Status) -> Problem {
    let message = match status {
        Status::Succeeded => {
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.".to_owned()
        }
        other => format!(
            "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_payment_method, requires_action.",
            other.as_str()
        ),
    };
    Problem::invalid(message).code(UNEXPECTED_STATE)
}
