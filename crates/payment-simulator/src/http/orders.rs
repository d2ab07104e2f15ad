//! `/_simulator`: what a test or an audit asks of the simulator itself. Same
//! API key, touched by no fault.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::Api;
use super::call::{Call, Order};
use super::error::Failure;
use super::reply::respond;
use crate::app::{Command, CompleteAction};
use crate::faults::FaultSet;
use crate::wire::{Problem, render};

/// `outcome=succeeded` (the default) or `outcome=failed`.
pub async fn complete_action(
    State(api): State<Arc<Api>>,
    Path(intent): Path<String>,
    call: Call,
) -> Result<Response, Failure> {
    let mut form = call.form;
    let outcomes = [("succeeded", true), ("failed", false)];
    let passed = form.choice("outcome", &outcomes)?.unwrap_or(true);
    form.end()?;
    let command = Command::CompleteAction(CompleteAction { intent, passed });
    Ok(api.send(api.app.run(command, call.keyed).await?).await)
}

pub async fn books(State(api): State<Arc<Api>>, _: Order) -> Result<Response, Failure> {
    json(&api.app.books.totals())
}

pub async fn faults(State(api): State<Arc<Api>>, _: Order) -> Result<Response, Failure> {
    json(&api.app.faults.get())
}

/// Replaces all faults; `{}` ends them.
pub async fn set_faults(
    State(api): State<Arc<Api>>,
    Order(body): Order,
) -> Result<Response, Failure> {
    let faults: FaultSet = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid(format!("Invalid faults: {error}")))?;
    tracing::info!(?faults, "faults set");
    api.app.faults.set(faults);
    json(&api.app.faults.get())
}

fn json<T: Serialize>(shape: &T) -> Result<Response, Failure> {
    Ok(respond(200, render(shape)?.get().to_owned(), false))
}
