//! Payments as tables.

use api::payment::v1 as pb;

use crate::{
    output::{facts, table},
    show,
};

pub fn payments(payments: &[pb::Payment]) -> String {
    if payments.is_empty() {
        return "no payments".to_owned();
    }
    let rows = payments.iter().map(|payment| {
        [
            payment.id.clone(),
            payment.order_id.clone(),
            show::payment_state(payment.state).to_owned(),
            show::money(payment.amount.as_ref()),
            show::money(payment.captured.as_ref()),
            show::money(payment.refunded.as_ref()),
            show::time(payment.create_time.as_ref()),
        ]
    });
    let heads = [
        "PAYMENT",
        "ORDER",
        "STATE",
        ">AMOUNT",
        ">CAPTURED",
        ">REFUNDED",
        "CREATED",
    ];
    table(heads, rows)
}

pub fn payment_of(payment: Option<&pb::Payment>) -> String {
    payment.map(self::payment).unwrap_or_default()
}

fn payment(payment: &pb::Payment) -> String {
    let action = payment.action.as_ref();
    let facts = facts([
        ("payment", payment.id.clone()),
        ("order", payment.order_id.clone()),
        ("attempt", payment.attempt.to_string()),
        ("state", show::payment_state(payment.state).to_owned()),
        ("decline code", payment.decline_code.clone()),
        (
            "to do",
            action
                .map(|action| action.redirect_url.clone())
                .unwrap_or_default(),
        ),
        ("amount", show::money(payment.amount.as_ref())),
        ("authorized", show::money(payment.authorized.as_ref())),
        (
            "captured",
            pending(payment.captured.as_ref(), payment.capture_pending.as_ref()),
        ),
        (
            "refunded",
            pending(payment.refunded.as_ref(), payment.refund_pending.as_ref()),
        ),
        ("provider", payment.provider_reference.clone()),
        ("created", show::time(payment.create_time.as_ref())),
    ]);
    let captures = payment.captures.iter().map(|capture| {
        let (amount, time) = (capture.amount.as_ref(), capture.create_time.as_ref());
        transfer(
            "capture",
            &capture.id,
            capture.state,
            amount,
            &capture.failure_code,
            time,
        )
    });
    let refunds = payment.refunds.iter().map(|refund| {
        let (amount, time) = (refund.amount.as_ref(), refund.create_time.as_ref());
        transfer(
            "refund",
            &refund.id,
            refund.state,
            amount,
            &refund.failure_code,
            time,
        )
    });
    let rows: Vec<_> = captures.chain(refunds).collect();
    if rows.is_empty() {
        return facts;
    }
    let heads = ["TRANSFER", "ID", "STATE", ">AMOUNT", "FAILURE", "CREATED"];
    format!("{facts}\n{}", table(heads, rows))
}

fn transfer(
    kind: &str,
    id: &str,
    state: i32,
    amount: Option<&api::common::v1::Money>,
    failure: &str,
    time: Option<&prost_types::Timestamp>,
) -> [String; 6] {
    let state = show::transfer_state(state).to_owned();
    let (kind, id, failure) = (kind.to_owned(), id.to_owned(), failure.to_owned());
    [
        kind,
        id,
        state,
        show::money(amount),
        failure,
        show::time(time),
    ]
}

/// `12.34 GBP`, and what is still under way.
fn pending(
    done: Option<&api::common::v1::Money>,
    pending: Option<&api::common::v1::Money>,
) -> String {
    match pending.filter(|pending| pending.minor_units != 0) {
        Some(pending) => format!(
            "{} ({} pending)",
            show::money(done),
            show::money(Some(pending))
        ),
        None => show::money(done),
    }
}

pub fn ledger(entries: &[pb::LedgerEntry]) -> String {
    if entries.is_empty() {
        return "no entries".to_owned();
    }
    let rows = entries.iter().map(|entry| {
        [
            entry.id.to_string(),
            show::time(entry.time.as_ref()),
            entry.transaction_id.clone(),
            entry.order_id.clone(),
            show::ledger_account(entry.account).to_owned(),
            show::money(entry.amount.as_ref()),
        ]
    });
    table(
        [">ID", "TIME", "TRANSACTION", "ORDER", "ACCOUNT", ">AMOUNT"],
        rows,
    )
}
