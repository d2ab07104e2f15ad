//! `cartwright payment …`

mod reconcile;
mod view;

use std::num::NonZeroUsize;

use api::{common::v1 as common, payment::v1 as pb};
use clap::{Args, Subcommand};
use types::{Currency, OrderId, PaymentId};

use crate::{
    args::KeyArg,
    failure::Failure,
    input,
    output::{Output, facts},
    shop::Shop,
    show,
};

const PAGE: usize = 100;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a payment with its captures and refunds.
    Get(Get),
    /// List payments, newest first.
    List(List),
    /// Take authorized money.
    Capture(Capture),
    /// Give captured money back.
    Refund(Refund),
    /// List the double-entry ledger, oldest first.
    Ledger(Ledger),
    /// After a restore: take over what the provider knows and our books do not.
    /// Moves no money, and may be repeated.
    Reconcile(reconcile::Reconcile),
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false)]
pub struct Which {
    payment_id: Option<PaymentId>,
    /// The latest payment of this order.
    #[arg(long, value_name = "ORDER_ID")]
    order: Option<OrderId>,
}

#[derive(Debug, Args)]
pub struct Get {
    #[command(flatten)]
    which: Which,
    /// Ask the provider first when something is pending.
    #[arg(long)]
    refresh: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those of this order.
    #[arg(long, value_name = "ORDER_ID")]
    order: Option<OrderId>,
    /// Only those in this state, such as captured.
    #[arg(long, value_parser = input::payment_state)]
    state: Option<pb::PaymentState>,
    /// At most so many.
    #[arg(long, default_value = "20")]
    limit: NonZeroUsize,
}

#[derive(Debug, Args)]
pub struct Capture {
    payment_id: PaymentId,
    /// How much, in major units such as 12.34 [default: all that is left].
    #[arg(long)]
    amount: Option<String>,
    /// Give the rest of the authorization back.
    #[arg(long = "final")]
    is_final: bool,
    #[command(flatten)]
    key: KeyArg,
}

#[derive(Debug, Args)]
pub struct Refund {
    payment_id: PaymentId,
    /// How much, in major units such as 12.34 [default: all that is left].
    #[arg(long)]
    amount: Option<String>,
    /// Why.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    key: KeyArg,
}

#[derive(Debug, Args)]
pub struct Ledger {
    /// Only the legs of this payment.
    #[arg(long, value_name = "PAYMENT_ID")]
    payment: Option<PaymentId>,
    /// Only the legs of this order.
    #[arg(long, value_name = "ORDER_ID")]
    order: Option<OrderId>,
    /// At most so many.
    #[arg(long, default_value = "100")]
    limit: NonZeroUsize,
}

pub async fn run(command: Command, shop: &Shop, output: Output) -> Result<(), Failure> {
    match command {
        Command::Get(args) => get(&args, shop, output).await,
        Command::List(args) => list(&args, shop, output).await,
        Command::Capture(args) => capture(&args, shop, output).await,
        Command::Refund(args) => refund(&args, shop, output).await,
        Command::Ledger(args) => ledger(&args, shop, output).await,
        Command::Reconcile(args) => reconcile::run(&args, shop, output).await,
    }
}

async fn get(args: &Get, shop: &Shop, output: Output) -> Result<(), Failure> {
    use pb::get_payment_request::Target;
    let by_id = args
        .which
        .payment_id
        .map(|id| Target::PaymentId(id.to_string()));
    let by_order = args.which.order.map(|id| Target::OrderId(id.to_string()));
    let answer = fetch(by_id.or(by_order), args.refresh, shop).await?;
    output.message(&answer, |answer| view::payment_of(answer.payment.as_ref()))
}

pub async fn fetch(
    target: Option<pb::get_payment_request::Target>,
    refresh: bool,
    shop: &Shop,
) -> Result<pb::GetPaymentResponse, Failure> {
    let request = pb::GetPaymentRequest { target, refresh };
    let answer = shop
        .payments
        .ask(request, |mut client, request| async move {
            client.get_payment(request).await
        });
    answer.await
}

async fn list(args: &List, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListPaymentsResponse::default();
    loop {
        let left = args.limit.get().saturating_sub(all.payments.len());
        let request = pb::ListPaymentsRequest {
            order_id: text(args.order),
            state: args.state.unwrap_or_default().into(),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop
            .payments
            .ask(request, |mut client, request| async move {
                client.list_payments(request).await
            });
        let page = page.await?;
        all.payments.extend(page.payments);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.payments.len() >= args.limit.get() {
            break;
        }
    }
    output.message(&all, |all| view::payments(&all.payments))
}

async fn capture(args: &Capture, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::CapturePaymentRequest {
        payment_id: args.payment_id.to_string(),
        amount: amount(args.amount.as_deref(), args.payment_id, shop).await?,
        r#final: args.is_final,
        etag: String::new(),
    };
    let answer = shop
        .payments
        .change(
            &args.key.or_new(),
            request,
            |mut client, request| async move { client.capture_payment(request).await },
        )
        .await?;
    output.message(&answer, |answer| view::payment_of(answer.payment.as_ref()))
}

async fn refund(args: &Refund, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = pb::RefundPaymentRequest {
        payment_id: args.payment_id.to_string(),
        amount: amount(args.amount.as_deref(), args.payment_id, shop).await?,
        reason: args.reason.clone(),
        etag: String::new(),
    };
    let answer = shop
        .payments
        .change(
            &args.key.or_new(),
            request,
            |mut client, request| async move { client.refund_payment(request).await },
        )
        .await?;
    output.message(&answer, |answer| {
        let refund = answer.refund.clone().unwrap_or_default();
        let facts = facts([
            ("refund", refund.id),
            ("state", show::transfer_state(refund.state).to_owned()),
            ("amount", show::money(refund.amount.as_ref())),
        ]);
        let payment = view::payment_of(answer.payment.as_ref());
        format!("{facts}\n{payment}")
    })
}

/// An amount in the currency of the payment.
async fn amount(
    text: Option<&str>,
    payment_id: PaymentId,
    shop: &Shop,
) -> Result<Option<common::Money>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    let target = pb::get_payment_request::Target::PaymentId(payment_id.to_string());
    let payment = fetch(Some(target), false, shop).await?.payment;
    let asked = payment.unwrap_or_default().amount.unwrap_or_default();
    let currency = Currency::parse(&asked.currency_code)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    input::amount("--amount", text, currency).map(Some)
}

async fn ledger(args: &Ledger, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut all = pb::ListLedgerEntriesResponse::default();
    loop {
        let left = args.limit.get().saturating_sub(all.entries.len());
        let request = pb::ListLedgerEntriesRequest {
            payment_id: text(args.payment),
            order_id: text(args.order),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = shop
            .payments
            .ask(request, |mut client, request| async move {
                client.list_ledger_entries(request).await
            });
        let page = page.await?;
        all.entries.extend(page.entries);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.entries.len() >= args.limit.get() {
            break;
        }
    }
    output.message(&all, |all| view::ledger(&all.entries))
}

fn text<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
