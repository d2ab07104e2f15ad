use std::collections::BTreeMap;

use serde::Serialize;

use super::Null;
use crate::books::intent::{CaptureMethod, ConfirmationMethod, Intent, PaymentError, Status};

/// The `payment_intent` object.
#[derive(Serialize)]
pub struct PaymentIntent<'a> {
    id: &'a str,
    object: &'static str,
    amount: i64,
    amount_capturable: i64,
    amount_received: i64,
    application: Null,
    application_fee_amount: Null,
    automatic_payment_methods: Null,
    canceled_at: Option<i64>,
    cancellation_reason: Option<&'a str>,
    capture_method: CaptureMethod,
    client_secret: &'a str,
    confirmation_method: ConfirmationMethod,
    created: i64,
    currency: &'a str,
    customer: Null,
    description: Option<&'a str>,
    last_payment_error: Option<LastPaymentError<'a>>,
    latest_charge: Option<&'a str>,
    livemode: bool,
    metadata: &'a BTreeMap<String, String>,
    next_action: Option<NextAction>,
    on_behalf_of: Null,
    payment_method: Option<&'static str>,
    payment_method_types: [&'static str; 1],
    processing: Null,
    receipt_email: Null,
    review: Null,
    setup_future_usage: Null,
    shipping: Null,
    statement_descriptor: Null,
    statement_descriptor_suffix: Null,
    status: &'static str,
    transfer_data: Null,
    transfer_group: Null,
}

#[derive(Serialize)]
struct LastPaymentError<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    message: &'a str,
    payment_method: PaymentMethod,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct PaymentMethod {
    id: &'static str,
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The customer is sent to a page; here one call ends the challenge.
#[derive(Serialize)]
struct NextAction {
    redirect_to_url: RedirectToUrl,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct RedirectToUrl {
    return_url: Null,
    url: String,
}

impl<'a> PaymentIntent<'a> {
    /// `public_url` is where a browser finds this simulator.
    pub fn of(intent: &'a Intent, public_url: &str) -> PaymentIntent<'a> {
        PaymentIntent {
            id: &intent.id,
            object: "payment_intent",
            amount: intent.amount_minor,
            amount_capturable: intent.capturable_minor(),
            amount_received: intent.captured_minor,
            application: (),
            application_fee_amount: (),
            automatic_payment_methods: (),
            canceled_at: intent.canceled_at,
            cancellation_reason: intent.cancellation_reason.as_deref(),
            capture_method: intent.capture_method,
            client_secret: &intent.client_secret,
            confirmation_method: intent.confirmation_method,
            created: intent.created,
            currency: &intent.currency,
            customer: (),
            description: intent.description.as_deref(),
            last_payment_error: intent.last_error.as_ref().map(last_payment_error),
            latest_charge: intent.charge.as_deref(),
            livemode: false,
            metadata: &intent.metadata,
            next_action: next_action(intent, public_url),
            on_behalf_of: (),
            payment_method: intent.method.map(|method| method.name()),
            payment_method_types: ["card"],
            processing: (),
            receipt_email: (),
            review: (),
            setup_future_usage: (),
            shipping: (),
            statement_descriptor: (),
            statement_descriptor_suffix: (),
            status: intent.status.as_str(),
            transfer_data: (),
            transfer_group: (),
        }
    }
}

fn last_payment_error(error: &PaymentError) -> LastPaymentError<'_> {
    LastPaymentError {
        charge: error.charge.as_deref(),
        code: &error.code,
        decline_code: error.decline_code.as_deref(),
        message: &error.message,
        payment_method: PaymentMethod {
            id: error.method.name(),
            object: "payment_method",
            kind: "card",
        },
        kind: match error.code.as_str() {
            "payment_intent_authentication_failure" => "invalid_request_error",
            _ => "card_error",
        },
    }
}

fn next_action(intent: &Intent, public_url: &str) -> Option<NextAction> {
    let id = &intent.id;
    (intent.status == Status::RequiresAction).then(|| NextAction {
        redirect_to_url: RedirectToUrl {
            return_url: (),
            url: format!("{public_url}/_simulator/payment_intents/{id}/complete_action"),
        },
        kind: "redirect_to_url",
    })
}
