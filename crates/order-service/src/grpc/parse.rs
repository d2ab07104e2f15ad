//! Requests into what the app takes. Every violation of a request is named.

use api::order::v1 as pb;
use rpc::{Caller, Fields, Problem, Reason};
use types::{
    Currency, CustomerId, FulfillmentId, Money, OrderId, Quantity, RefundId, ReturnId, Sku,
};

use super::reach::{customer, reach};
use crate::app::{Asker, Filter, NewFulfillment, NewRefund, NewReturn, Place};
use crate::domain::{CaptureMethod, NewLine, NewOrder, Resolution, State};

pub(super) const SCOPE_PRICE: &str = "orders:price";
const LINES_MAX: usize = 1_000;
const REASON_MAX: usize = 200;
const NAME_MAX: usize = 100;
const PAYMENT_METHOD_MAX: usize = 255;
const BATCH_MAX: usize = 100;

pub(super) fn asker(caller: &Caller) -> Asker {
    Asker {
        reach: reach(caller),
        actor: caller.principal().to_owned(),
        traceparent: telemetry::propagation::current_traceparent(),
    }
}

pub(super) fn order_id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).map_err(|error| Problem::invalid("order_id", error.to_string()))
}

pub(super) fn order_ids(texts: &[String]) -> Result<Vec<OrderId>, Problem> {
    let mut fields = Fields::default();
    let counted = fields.count("order_ids", texts.len(), 1..=BATCH_MAX);
    let ids: Vec<OrderId> = (0..)
        .zip(texts)
        .filter_map(|(at, text)| fields.parse(format!("order_ids[{at}]"), OrderId::parse(text)))
        .collect();
    fields.finish(counted.map(|()| ids))
}

pub(super) fn create_order(
    request: &pb::CreateOrderRequest,
    caller: &Caller,
) -> Result<Place, Problem> {
    let priced = request.lines.iter().any(|line| line.unit_price.is_some());
    if priced && !caller.holds(SCOPE_PRICE) {
        let message = format!("lines with a unit_price need the scope {SCOPE_PRICE}");
        return Err(Problem::new(Reason::ScopeMissing, message).with_metadata("scope", SCOPE_PRICE));
    }
    let new = new_order(request, customer(&request.customer_id, caller)?)?;
    let overflow = |_| {
        let message = "lines: the total of the order leaves the range of 64 bits";
        Problem::new(Reason::AmountOverflow, message)
    };
    new.total().map_err(overflow)?;
    let asker = asker(caller);
    Ok(Place {
        new,
        only_accept: request.wait() == pb::CreateOrderWait::Accepted,
        actor: asker.actor,
        traceparent: asker.traceparent,
    })
}

fn new_order(request: &pb::CreateOrderRequest, customer: &str) -> Result<NewOrder, Problem> {
    let mut fields = Fields::default();
    let customer_id = fields.parse("customer_id", CustomerId::parse(customer));
    let currency = fields.parse("currency_code", Currency::parse(&request.currency_code));
    let lines = lines(&mut fields, &request.lines, currency);
    let payment_method = payment_method(&mut fields, &request.payment_method);
    let capture_method = match pb::CaptureMethod::try_from(request.capture_method) {
        Ok(pb::CaptureMethod::Unspecified | pb::CaptureMethod::Automatic) => {
            Some(CaptureMethod::Automatic)
        }
        Ok(pb::CaptureMethod::Manual) => Some(CaptureMethod::Manual),
        Err(_) => {
            fields.refuse("capture_method", "must be AUTOMATIC or MANUAL");
            None
        }
    };
    if pb::CreateOrderWait::try_from(request.wait).is_err() {
        fields.refuse("wait", "must be OUTCOME or ACCEPTED");
    }
    let expected = request.expected_total.as_ref();
    let expected_total = match expected {
        Some(_) => amount(&mut fields, "expected_total", expected, currency, 0).map(Some),
        None => Some(None),
    };
    let reference = reference(&mut fields, &request.reference);
    let new = (|| {
        Some(NewOrder {
            id: OrderId::generate(),
            customer_id: customer_id?,
            reference: reference?,
            currency: currency?,
            lines: lines?,
            payment_method: payment_method?,
            capture_method: capture_method?,
            expected_total: expected_total?,
        })
    })();
    fields.finish(new)
}

fn lines(
    fields: &mut Fields,
    lines: &[pb::NewOrderLine],
    currency: Option<Currency>,
) -> Option<Vec<NewLine>> {
    fields.count("lines", lines.len(), 1..=LINES_MAX)?;
    let parsed: Vec<Option<NewLine>> = (0..)
        .zip(lines)
        .map(|(at, line): (usize, _)| {
            let sku = fields.parse(format!("lines[{at}].sku"), Sku::parse(&line.sku));
            let quantity = Quantity::try_from(line.quantity);
            let quantity = fields.parse(format!("lines[{at}].quantity"), quantity);
            let path = format!("lines[{at}].unit_price");
            let price = line.unit_price.as_ref();
            let unit_price = match price {
                Some(_) => Some(amount(fields, &path, price, currency, 0)?),
                None => None,
            };
            Some(NewLine {
                sku: sku?,
                quantity: quantity?,
                unit_price,
            })
        })
        .collect();
    parsed.into_iter().collect()
}

/// An amount in the order's currency, of `least` minor units or more.
fn amount(
    fields: &mut Fields,
    path: &str,
    value: Option<&api::common::v1::Money>,
    currency: Option<Currency>,
    least: i64,
) -> Option<Money> {
    let money = fields.money(path, value)?;
    if money.minor() < least {
        let got = money.minor();
        fields.refuse(
            format!("{path}.minor_units"),
            format!("must be at least {least}, got {got}"),
        );
        return None;
    }
    match currency {
        Some(currency) if currency != money.currency() => {
            fields.refuse_currency(
                format!("{path}.currency_code"),
                format!("must be {currency} as the order, got {}", money.currency()),
            );
            None
        }
        _ => Some(money),
    }
}

/// The text itself is never repeated: it may be what it must not be.
fn payment_method(fields: &mut Fields, text: &str) -> Option<String> {
    let printable = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !(1..=PAYMENT_METHOD_MAX).contains(&text.len()) || !printable {
        let expected = "must be a token of 1 to 255 printable ASCII characters";
        fields.refuse("payment_method", expected);
        return None;
    }
    Some(text.to_owned())
}

/// Kept in events, and told to the payment service as the reason of a refund.
fn reason(fields: &mut Fields, text: &str) -> Option<String> {
    fields.text("reason", text, REASON_MAX)
}

fn reference(fields: &mut Fields, text: &str) -> Option<String> {
    if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return fields.text("reference", text, NAME_MAX);
    }
    fields.refuse("reference", "must be printable ASCII");
    None
}

pub(super) fn cancel_order(
    request: &pb::CancelOrderRequest,
    caller: &Caller,
) -> Result<crate::app::Cancel, Problem> {
    let mut fields = Fields::default();
    let order = fields.parse("order_id", OrderId::parse(&request.order_id));
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let parsed = (|| {
        Some(crate::app::Cancel {
            order: order?,
            reason: reason?,
            etag: etag?,
            asker: asker(caller),
        })
    })();
    fields.finish(parsed)
}

fn line_quantities(
    fields: &mut Fields,
    lines: &[pb::LineQuantity],
    least: usize,
) -> Option<Vec<(i32, i64)>> {
    fields.count("lines", lines.len(), least..=LINES_MAX)?;
    let parsed: Vec<Option<(i32, i64)>> = (0..)
        .zip(lines)
        .map(|(at, line): (usize, _)| {
            let quantity = Quantity::try_from(line.quantity);
            let quantity = fields.parse(format!("lines[{at}].quantity"), quantity);
            if line.line_number < 1 {
                let expected = format!("must be from 1, got {}", line.line_number);
                fields.refuse(format!("lines[{at}].line_number"), expected);
                return None;
            }
            Some((line.line_number, quantity?.get()))
        })
        .collect();
    parsed.into_iter().collect()
}

pub(super) fn create_fulfillment(
    request: &pb::CreateFulfillmentRequest,
    caller: &Caller,
) -> Result<NewFulfillment, Problem> {
    let mut fields = Fields::default();
    let order = fields.parse("order_id", OrderId::parse(&request.order_id));
    let lines = line_quantities(&mut fields, &request.lines, 0);
    let tracking = fields.text("tracking", &request.tracking, NAME_MAX);
    let etag = fields.etag("etag", &request.etag);
    let parsed = (|| {
        Some(NewFulfillment {
            id: FulfillmentId::generate(),
            order: order?,
            lines: lines?,
            tracking: tracking?,
            etag: etag?,
            asker: asker(caller),
        })
    })();
    fields.finish(parsed)
}

pub(super) fn create_return(
    request: &pb::CreateReturnRequest,
    caller: &Caller,
) -> Result<NewReturn, Problem> {
    let mut fields = Fields::default();
    let order = fields.parse("order_id", OrderId::parse(&request.order_id));
    let lines = line_quantities(&mut fields, &request.lines, 1);
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let parsed = (|| {
        Some(NewReturn {
            id: ReturnId::generate(),
            order: order?,
            lines: lines?,
            restock: request.restock,
            reason: reason?,
            etag: etag?,
            asker: asker(caller),
        })
    })();
    fields.finish(parsed)
}

pub(super) fn receive_return(
    request: &pb::ReceiveReturnRequest,
    caller: &Caller,
) -> Result<crate::app::Receive, Problem> {
    let id = ReturnId::parse(&request.return_id)
        .map_err(|error| Problem::invalid("return_id", error.to_string()))?;
    Ok(crate::app::Receive {
        id,
        asker: asker(caller),
    })
}

pub(super) fn refund_order(
    request: &pb::RefundOrderRequest,
    caller: &Caller,
) -> Result<NewRefund, Problem> {
    let mut fields = Fields::default();
    let order = fields.parse("order_id", OrderId::parse(&request.order_id));
    let wanted = request.amount.as_ref();
    let amount = match wanted {
        Some(_) => amount(&mut fields, "amount", wanted, None, 1).map(Some),
        None => Some(None),
    };
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let parsed = (|| {
        Some(NewRefund {
            id: RefundId::generate(),
            order: order?,
            amount: amount?,
            reason: reason?,
            etag: etag?,
            asker: asker(caller),
        })
    })();
    fields.finish(parsed)
}

pub(super) fn resolve_saga(
    request: &pb::ResolveSagaRequest,
    caller: &Caller,
) -> Result<crate::app::Resolve, Problem> {
    let mut fields = Fields::default();
    let order = fields.parse("order_id", OrderId::parse(&request.order_id));
    let resolution = match request.resolution() {
        pb::SagaResolution::Resume => Some(Resolution::Resume),
        pb::SagaResolution::Cancel => Some(Resolution::Cancel),
        pb::SagaResolution::Unspecified => {
            fields.refuse("resolution", "must be RESUME or CANCEL");
            None
        }
    };
    if request.reason.is_empty() {
        fields.refuse("reason", "must be 1 to 200 characters, got 0");
    }
    let reason = reason(&mut fields, &request.reason);
    let etag = fields.etag("etag", &request.etag);
    let parsed = (|| {
        Some(crate::app::Resolve {
            order: order?,
            resolution: resolution?,
            reason: reason?,
            etag: etag?,
            asker: asker(caller),
        })
    })();
    fields.finish(parsed)
}

/// The filter of a list: `None` inside is "all".
pub(super) fn list_orders(
    request: &pb::ListOrdersRequest,
    caller: &Caller,
) -> Result<Filter, Problem> {
    let mut fields = Fields::default();
    let customer_id = match customer(&request.customer_id, caller)? {
        "" => Some(None),
        id => fields
            .parse("customer_id", CustomerId::parse(id))
            .map(|id| Some(id.as_str().to_owned())),
    };
    let state = match request.state {
        0 => Some(None),
        number => {
            let state = i16::try_from(number).ok().and_then(State::from_number);
            if state.is_none() {
                fields.refuse("state", "must be a known state");
            }
            Some(state)
        }
    };
    let filter = customer_id.zip(state);
    fields.finish(filter.map(|(customer_id, state)| Filter { customer_id, state }))
}
