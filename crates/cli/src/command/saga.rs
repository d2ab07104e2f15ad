//! `cartwright saga …`

use std::num::NonZeroUsize;

use api::order::v1 as pb;
use clap::{Args, Subcommand};
use types::OrderId;

use crate::{
    args::KeyArg,
    failure::Failure,
    output::{Output, facts, table},
    shop::Shop,
    show,
};

const PAGE: usize = 100;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List orders that are not at their end, oldest first.
    List(List),
    /// Show the work behind an order.
    Get { order_id: OrderId },
    /// Run the waiting work of an order now.
    Retry {
        order_id: OrderId,
        #[command(flatten)]
        key: KeyArg,
    },
    /// Decide for an order that needs attention.
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those that need a person.
    #[arg(long)]
    needs_attention: bool,
    /// At most so many.
    #[arg(long, default_value = "50")]
    limit: NonZeroUsize,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("decision").required(true).args(["resume", "cancel"]))]
pub struct Resolve {
    order_id: OrderId,
    /// Go on from where it stopped.
    #[arg(long)]
    resume: bool,
    /// Undo everything and end the order as cancelled.
    #[arg(long)]
    cancel: bool,
    /// Why; kept in the order's events.
    #[arg(long)]
    reason: String,
    /// Only if the order has not changed since this etag was read.
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    key: KeyArg,
}

pub async fn run(command: Command, shop: &Shop, output: Output) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(&args, shop, output).await,
        Command::Get { order_id } => get(order_id, shop, output).await,
        Command::Retry { order_id, key } => retry(order_id, &key, shop, output).await,
        Command::Resolve(args) => resolve(&args, shop, output).await,
    }
}

async fn list(args: &List, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListSagasResponse::default();
    loop {
        let left = args.limit.get().saturating_sub(all.sagas.len());
        let request = pb::ListSagasRequest {
            needs_attention: args.needs_attention,
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop
            .order_admin
            .ask(request, |mut client, request| async move {
                client.list_sagas(request).await
            });
        let page = page.await?;
        all.sagas.extend(page.sagas);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.sagas.len() >= args.limit.get() {
            break;
        }
    }
    output.message(&all, |all| view_all(&all.sagas))
}

async fn get(order_id: OrderId, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::GetSagaRequest {
        order_id: order_id.to_string(),
    };
    let answer = shop
        .order_admin
        .ask(request, |mut client, request| async move {
            client.get_saga(request).await
        });
    output.message(&answer.await?, |answer| view_of(answer.saga.as_ref()))
}

async fn retry(
    order_id: OrderId,
    key: &KeyArg,
    shop: &Shop,
    output: Output,
) -> Result<(), Failure> {
    let request = pb::RetrySagaRequest {
        order_id: order_id.to_string(),
    };
    let answer = shop
        .order_admin
        .change(&key.or_new(), request, |mut client, request| async move {
            client.retry_saga(request).await
        })
        .await?;
    output.message(&answer, |answer| view_of(answer.saga.as_ref()))
}

async fn resolve(args: &Resolve, shop: &Shop, output: Output) -> Result<(), Failure> {
    let resolution = match args.cancel {
        true => pb::SagaResolution::Cancel,
        false => pb::SagaResolution::Resume,
    };
    let request = pb::ResolveSagaRequest {
        order_id: args.order_id.to_string(),
        resolution: resolution.into(),
        reason: args.reason.clone(),
        etag: args.etag.clone(),
    };
    let answer = shop
        .order_admin
        .change(
            &args.key.or_new(),
            request,
            |mut client, request| async move { client.resolve_saga(request).await },
        )
        .await?;
    output.message(&answer, |answer| view_of(answer.saga.as_ref()))
}

fn view_all(sagas: &[pb::Saga]) -> String {
    if sagas.is_empty() {
        return "no sagas".to_owned();
    }
    let rows = sagas.iter().map(|saga| {
        [
            saga.order_id.clone(),
            show::order_state(saga.state).to_owned(),
            show::effect_state(saga.stock).to_owned(),
            show::effect_state(saga.payment).to_owned(),
            show::effect_state(saga.capture).to_owned(),
            saga.tries.to_string(),
            show::time(saga.next_run_time.as_ref()),
            saga.last_error.clone(),
        ]
    });
    let heads = [
        "ORDER",
        "STATE",
        "STOCK",
        "PAYMENT",
        "CAPTURE",
        ">TRIES",
        "NEXT RUN",
        "LAST ERROR",
    ];
    table(heads, rows)
}

fn view_of(saga: Option<&pb::Saga>) -> String {
    let saga = saga.cloned().unwrap_or_default();
    facts([
        ("order", saga.order_id),
        ("state", show::order_state(saga.state).to_owned()),
        ("stock", show::effect_state(saga.stock).to_owned()),
        ("payment", show::effect_state(saga.payment).to_owned()),
        ("capture", show::effect_state(saga.capture).to_owned()),
        ("attempt", saga.payment_attempt.to_string()),
        ("epoch", saga.epoch.to_string()),
        ("tries", saga.tries.to_string()),
        ("last error", saga.last_error),
        ("next run", show::time(saga.next_run_time.as_ref())),
        ("leased until", show::time(saga.lease_time.as_ref())),
        ("created", show::time(saga.create_time.as_ref())),
    ])
}
