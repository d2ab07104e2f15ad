//! `/v1/refunds`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::Api;
use super::call::Call;
use super::error::Failure;
use super::payment_intents::parse_page;
use crate::app::{Command, CreateRefund};
use crate::books::intent::AMOUNT_MINOR_MAX;
use crate::faults::Operation;

pub async fn create(State(api): State<Arc<Api>>, call: Call) -> Result<Response, Failure> {
    let mut form = call.form;
    let reasons = [
        ("duplicate", "duplicate"),
        ("fraudulent", "fraudulent"),
        ("requested_by_customer", "requested_by_customer"),
    ];
    let refund = CreateRefund {
        intent: form.required("payment_intent")?,
        amount_minor: form.amount("amount", AMOUNT_MINOR_MAX)?,
        reason: form.choice("reason", &reasons)?.map(str::to_owned),
        metadata: form.metadata()?,
    };
    form.ignore(&["expand"]);
    form.end()?;
    let command = Command::CreateRefund(refund);
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn retrieve(
    State(api): State<Arc<Api>>,
    Path(refund): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let operation = Operation::RetrieveRefund;
    let mut form = call.form;
    form.ignore(&["expand"]);
    form.end()?;
    api.app.meet_faults(Some(operation)).await?;
    let answer = api.app.refund_by_id(&refund).await?;
    Ok(api.send_found(answer, operation).await)
}

pub async fn list(State(api): State<Arc<Api>>, call: Call) -> Result<Response, Failure> {
    let operation = Operation::ListRefunds;
    let mut form = call.form;
    let intent = form.text("payment_intent", 255)?;
    let page = parse_page(&mut form)?;
    form.ignore(&["expand"]);
    form.end()?;
    api.app.meet_faults(Some(operation)).await?;
    let answer = match intent {
        Some(intent) => api.app.refunds_of(&intent, page).await?,
        None => api.app.refunds(page).await?,
    };
    Ok(api.send_found(answer, operation).await)
}
