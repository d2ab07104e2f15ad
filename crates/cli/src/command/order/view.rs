//! Orders as tables.

use api::order::v1 as pb;

use crate::{
    output::{facts, table},
    show,
};

pub fn orders(orders: &[pb::Order]) -> String {
    if orders.is_empty() {
        return "no orders".to_owned();
    }
    let rows = orders.iter().map(|order| {
        [
            order.id.clone(),
            order.customer_id.clone(),
            show::order_state(order.state).to_owned(),
            show::order_payment_state(order.payment_state).to_owned(),
            order.lines.len().to_string(),
            show::money(order.total.as_ref()),
            show::time(order.create_time.as_ref()),
        ]
    });
    let heads = [
        "ORDER", "CUSTOMER", "STATE", "PAYMENT", ">LINES", ">TOTAL", "CREATED",
    ];
    table(heads, rows)
}

pub fn order_of(order: Option<&pb::Order>) -> String {
    order.map(self::order).unwrap_or_default()
}

pub fn order(order: &pb::Order) -> String {
    let reason = order.reason.as_ref().map(reason).unwrap_or_default();
    let action = order.payment_action.as_ref();
    let facts = facts([
        ("order", order.id.clone()),
        ("customer", order.customer_id.clone()),
        ("reference", order.reference.clone()),
        ("state", show::order_state(order.state).to_owned()),
        ("reason", reason),
        (
            "payment",
            show::order_payment_state(order.payment_state).to_owned(),
        ),
        ("payment id", order.payment_id.clone()),
        (
            "to do",
            action
                .map(|action| action.redirect_url.clone())
                .unwrap_or_default(),
        ),
        ("total", show::money(order.total.as_ref())),
        ("captured", show::money(order.captured.as_ref())),
        ("refunded", show::money(order.refunded.as_ref())),
        ("created", show::time(order.create_time.as_ref())),
        ("etag", order.etag.clone()),
    ]);
    format!("{facts}\n{}", lines(&order.lines))
}

pub fn reason(reason: &pb::StateReason) -> String {
    match (reason.code.as_str(), reason.message.as_str()) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    }
}

fn lines(lines: &[pb::OrderLine]) -> String {
    let rows = lines.iter().map(|line| {
        [
            line.number.to_string(),
            line.sku.clone(),
            line.quantity.to_string(),
            show::money(line.unit_price.as_ref()),
            line.fulfilled.to_string(),
            line.returned.to_string(),
        ]
    });
    table(
        [
            ">LINE",
            "SKU",
            ">QTY",
            ">UNIT PRICE",
            ">SHIPPED",
            ">RETURNED",
        ],
        rows,
    )
}

pub fn shipment(shipment: &pb::Fulfillment) -> String {
    facts([
        ("shipment", shipment.id.clone()),
        ("state", show::work_state(shipment.state).to_owned()),
        ("lines", quantities(&shipment.lines)),
        ("tracking", shipment.tracking.clone()),
    ])
}

pub fn give_back(back: &pb::Return) -> String {
    facts([
        ("return", back.id.clone()),
        ("state", show::work_state(back.state).to_owned()),
        ("lines", quantities(&back.lines)),
        ("pays back", show::money(back.refund.as_ref())),
        ("restock", back.restock.to_string()),
    ])
}

pub fn refund(refund: &pb::RefundOrderResponse) -> String {
    facts([
        ("refund", refund.refund_id.clone()),
        ("state", show::work_state(refund.state).to_owned()),
        ("amount", show::money(refund.amount.as_ref())),
    ])
}

/// `2 of line 1, 1 of line 3`; of many lines only how many there are.
pub fn quantities(lines: &[pb::LineQuantity]) -> String {
    if lines.len() > 6 {
        let units: i64 = lines.iter().map(|line| line.quantity).sum();
        return format!("{units} units of {} lines", lines.len());
    }
    let parts = lines.iter();
    let parts = parts.map(|line| format!("{} of line {}", line.quantity, line.line_number));
    parts.collect::<Vec<_>>().join(", ")
}
