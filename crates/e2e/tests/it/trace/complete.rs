//! What there must be in the trace of an order that was confirmed and captured.

use trace_store::{Kind, Span, TraceId};

use super::tree::{Forest, Step, at};

const ORDER: &str = "order-service";
const STOCK: &str = "inventory-service";
const PAYMENT: &str = "payment-service";
const PROVIDER: &str = "payment-simulator";

/// What is missing in `trace`; nothing, where it tells all.
pub fn missing(forest: &Forest, trace: TraceId) -> Vec<&'static str> {
    let paths: [(&'static str, &[Step]); 8] = [
        (
            "order to the stock's database",
            &[
                at(ORDER, "cartwright.order.v1.OrderService/CreateOrder"),
                at(ORDER, "saga"),
                at(STOCK, "batch item"),
            ],
        ),
        (
            "order to the provider",
            &[
                at(ORDER, "saga"),
                at(PAYMENT, "batch item"),
                at(PAYMENT, "POST /v1/payment_intents"),
                at(PROVIDER, "POST /v1/payment_intents"),
            ],
        ),
        (
            "order to the provider's capture",
            &[
                at(ORDER, "saga"),
                at(PAYMENT, "batch item"),
                at(PAYMENT, "POST /v1/payment_intents/{id}/capture"),
                at(PROVIDER, "POST /v1/payment_intents/{id}/capture"),
            ],
        ),
        (
            "provider to its webhook",
            &[
                at(PROVIDER, "POST /v1/payment_intents/{id}/capture"),
                at(PROVIDER, "POST /webhooks/stripe"),
                at(PAYMENT, "POST /webhooks/{provider}"),
            ],
        ),
        (
            "the order's event",
            &[
                at(ORDER, "cartwright.order.v1.OrderService/CreateOrder"),
                at(ORDER, "send cartwright.order.v1"),
            ],
        ),
        (
            "the confirmation's event",
            &[at(ORDER, "saga"), at(ORDER, "send cartwright.order.v1")],
        ),
        (
            "the payment's event to who hears it",
            &[
                at(PAYMENT, "batch item"),
                at(PAYMENT, "send cartwright.payment.v1"),
                at(ORDER, "process cartwright.payment.v1"),
            ],
        ),
        (
            "the database of who hears it",
            &[
                at(ORDER, "process cartwright.payment.v1"),
                at(ORDER, "INSERT inbox"),
            ],
        ),
    ];
    let absent = paths
        .iter()
        .filter(|(_, path)| !forest.has_path(trace, path));
    absent.map(|(what, _)| *what).collect()
}

/// The spans that are not where the work was done, nor lead there.
pub fn adrift(forest: &Forest, trace: TraceId) -> Vec<&Span> {
    let spans = forest.trace(trace);
    spans
        .filter(|span| match span.name.as_str() {
            "gathered" => !leads_to(forest, span, "batch"),
            "batch item" => !leads_to(forest, span, "cartwright."),
            _ => false,
        })
        .collect()
}

/// Below it, or by a link.
fn leads_to(forest: &Forest, span: &Span, name: &str) -> bool {
    let mut near = forest.children(span).chain(forest.linked(span));
    near.any(|near| near.name.starts_with(name))
}

/// For each batch in which this trace took part: was anything done in it?
pub fn batches(forest: &Forest, trace: TraceId) -> Vec<&Span> {
    let takes_part = |span: &&Span| matches!(span.name.as_str(), "gathered" | "batch item");
    let near = forest
        .trace(trace)
        .filter(takes_part)
        .flat_map(|span| forest.children(span).chain(forest.linked(span)));
    near.filter(|near| near.name == "batch").collect()
}

/// What the batch did: its statements and its calls.
pub fn work_of<'a>(forest: &'a Forest, batch: &Span) -> Vec<&'a Span> {
    let mut found = Vec::new();
    let mut next: Vec<&Span> = forest.children(batch).collect();
    while let Some(span) = next.pop() {
        if span.kind == Kind::Client {
            found.push(span);
        }
        next.extend(forest.children(span));
    }
    found
}
