//! `/v1/payment_intents`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use iso_currency::Currency;

use super::Api;
use super::call::Call;
use super::error::Failure;
use super::form::{Form, missing};
use crate::app::{Cancel, Capture, Command, Confirm, Create, PageOf};
use crate::books::intent::{AMOUNT_MINOR_MAX, CaptureMethod, ConfirmationMethod};
use crate::faults::Operation;
use crate::methods::Method;
use crate::wire::Problem;

const DESCRIPTION_CHARS_MAX: usize = 1000;
const PAGE_SIZE_DEFAULT: i64 = 10;
const PAGE_SIZE_MAX: i64 = 100;

/// What Stripe takes and this simulator has no use for.
const IGNORED: [&str; 12] = [
    "automatic_payment_methods",
    "customer",
    "error_on_requires_action",
    "expand",
    "off_session",
    "payment_method_options",
    "payment_method_types",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
];

pub async fn create(State(api): State<Arc<Api>>, call: Call) -> Result<Response, Failure> {
    let command = Command::Create(parse_create(call.form)?);
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn confirm(
    State(api): State<Arc<Api>>,
    Path(intent): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let mut form = call.form;
    let method = payment_method(&mut form)?;
    form.ignore(&IGNORED);
    form.end()?;
    let command = Command::Confirm(Confirm { intent, method });
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn capture(
    State(api): State<Arc<Api>>,
    Path(intent): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let mut form = call.form;
    let amount_minor = form.amount("amount_to_capture", AMOUNT_MINOR_MAX)?;
    let last = form.flag("final_capture")?.unwrap_or(true);
    form.ignore(&IGNORED);
    form.end()?;
    let command = Command::Capture(Capture {
        intent,
        amount_minor,
        last,
    });
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn cancel(
    State(api): State<Arc<Api>>,
    Path(intent): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let mut form = call.form;
    let reasons = [
        ("duplicate", "duplicate"),
        ("fraudulent", "fraudulent"),
        ("requested_by_customer", "requested_by_customer"),
        ("abandoned", "abandoned"),
    ];
    let reason = form.choice("cancellation_reason", &reasons)?;
    let reason = reason.map(str::to_owned);
    form.ignore(&IGNORED);
    form.end()?;
    let command = Command::Cancel(Cancel { intent, reason });
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn retrieve(
    State(api): State<Arc<Api>>,
    Path(intent): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let operation = Operation::RetrievePaymentIntent;
    let mut form = call.form;
    form.ignore(&["client_secret", "expand"]);
    form.end()?;
    api.app.meet_faults(Some(operation)).await?;
    let answer = api.app.payment_intent(&intent).await?;
    Ok(api.send_found(answer, operation).await)
}

pub async fn list(State(api): State<Arc<Api>>, call: Call) -> Result<Response, Failure> {
    let operation = Operation::ListPaymentIntents;
    let mut form = call.form;
    let page = parse_page(&mut form)?;
    form.ignore(&["expand"]);
    form.end()?;
    api.app.meet_faults(Some(operation)).await?;
    let answer = api.app.payment_intents(page).await?;
    Ok(api.send_found(answer, operation).await)
}

pub fn parse_page(form: &mut Form) -> Result<PageOf, Problem> {
    let limit = form.amount("limit", PAGE_SIZE_MAX)?;
    let limit = usize::try_from(limit.unwrap_or(PAGE_SIZE_DEFAULT)).unwrap_or(1);
    Ok(PageOf {
        limit,
        starting_after: form.text("starting_after", 255)?,
        created_from: form.integer("created[gte]")?.unwrap_or(0),
    })
}

pub fn parse_create(mut form: Form) -> Result<Create, Problem> {
    let capture_methods = [
        ("automatic", CaptureMethod::Automatic),
        ("automatic_async", CaptureMethod::Automatic),
        ("manual", CaptureMethod::Manual),
    ];
    let confirmation_methods = [
        ("automatic", ConfirmationMethod::Automatic),
        ("manual", ConfirmationMethod::Manual),
    ];
    let amount = form.amount("amount", AMOUNT_MINOR_MAX)?;
    let create = Create {
        amount_minor: amount.ok_or_else(|| missing("amount"))?,
        currency: currency(&form.required("currency")?)?,
        method: payment_method(&mut form)?,
        capture_method: form
            .choice("capture_method", &capture_methods)?
            .unwrap_or(CaptureMethod::Automatic),
        confirmation_method: form
            .choice("confirmation_method", &confirmation_methods)?
            .unwrap_or(ConfirmationMethod::Automatic),
        confirm: form.flag("confirm")?.unwrap_or(false),
        description: form.text("description", DESCRIPTION_CHARS_MAX)?,
        metadata: form.metadata()?,
    };
    form.ignore(&IGNORED);
    form.end()?;
    match create.confirm && create.method.is_none() {
        true => Err(missing("payment_method")),
        false => Ok(create),
    }
}

fn payment_method(form: &mut Form) -> Result<Option<Method>, Problem> {
    let Some(name) = form.text("payment_method", 255)? else {
        return Ok(None);
    };
    match Method::named(&name) {
        Some(method) => Ok(Some(method)),
        None => Err(Problem::invalid(format!("No such PaymentMethod: '{name}'"))
            .code("resource_missing")
            .param("payment_method")),
    }
}

fn currency(text: &str) -> Result<String, Problem> {
    let known = Currency::from_code(&text.to_ascii_uppercase());
    match known {
        Some(Currency::XXX | Currency::XTS) | None => Err(Problem::invalid(format!(
            "Invalid currency: {text}. It must be a three-letter ISO 4217 code."
        ))
        .param("currency")),
        Some(_) => Ok(text.to_ascii_lowercase()),
    }
}
