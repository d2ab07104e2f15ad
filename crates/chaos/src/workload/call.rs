//! One call: from what is asked to what was told.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use api::common::v1::Money;
use api::inventory::v1 as stock;
use api::order::v1 as pb;
use load::{Answered, Asking, Outcome, Patience, Shop};
use prost::Message;
use tokio::time::Instant;

use super::ProviderAccess;
use crate::history::{Answer, Asked, CURRENCY, NewOrder, OrderSeen, Told, Units, Wanted, WorkSeen};

/// Clients wait for an answer through most outages, and give up in the end.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(5),
    total: Duration::from_secs(40),
    tries_max: 40,
    pause: Duration::from_millis(250),
    pause_max: Duration::from_secs(3),
};

/// What came of a call, and when.
#[derive(Debug)]
pub struct Call {
    pub told: Told,
    pub attempts: u32,
    pub sent: Instant,
    pub answered: Instant,
    /// Where the customer is sent, if it has to act.
    pub action_url: Option<String>,
}

#[derive(Clone)]
pub struct Client {
    pub shop: Shop,
    pub provider: ProviderAccess,
    pub http: reqwest::Client,
}

impl Client {
    pub async fn call(&self, key: &str, asked: &Asked) -> Call {
        let asking = Asking {
            key,
            patience: PATIENCE,
        };
        match asked.clone() {
            Asked::Create(order) => {
                let request = create(order, key);
                order_told(self.shop.create_order(request, asking).await, |r| &r.order)
            }
            Asked::Cancel { order } => {
                let request = pb::CancelOrderRequest {
                    order_id: order,
                    reason: "changed my mind".to_owned(),
                    etag: String::new(),
                };
                order_told(self.shop.cancel_order(request, asking).await, |r| &r.order)
            }
            Asked::Fulfil { order, lines } => {
                let request = pb::CreateFulfillmentRequest {
                    order_id: order,
                    lines: quantities(&lines),
                    tracking: "chaos".to_owned(),
                    etag: String::new(),
                };
                told(self.shop.create_fulfillment(request, asking).await, |r| {
                    r.fulfillment.as_ref().map(shipment)
                })
            }
            Asked::AnnounceReturn {
                order,
                lines,
                restock,
            } => {
                let request = pb::CreateReturnRequest {
                    order_id: order,
                    lines: quantities(&lines),
                    restock,
                    reason: "does not fit".to_owned(),
                    etag: String::new(),
                };
                told(self.shop.create_return(request, asking).await, |r| {
                    r.order_return.as_ref().map(returned)
                })
            }
            Asked::ReceiveReturn { id, .. } => {
                let request = pb::ReceiveReturnRequest { return_id: id };
                told(self.shop.receive_return(request, asking).await, |r| {
                    r.order_return.as_ref().map(returned)
                })
            }
            Asked::Refund {
                order,
                amount_minor,
            } => {
                let request = pb::RefundOrderRequest {
                    order_id: order.clone(),
                    amount: Some(Money {
                        minor_units: amount_minor,
                        currency_code: CURRENCY.to_owned(),
                    }),
                    reason: "goodwill".to_owned(),
                    etag: String::new(),
                };
                told(self.shop.refund_order(request, asking).await, |r| {
                    Some(refunded(&order, r))
                })
            }
            Asked::Adjust { sku, delta } => {
                let request = stock::AdjustStockRequest {
                    sku,
                    delta,
                    // The movement tells which call it came from.
                    reason: key.to_owned(),
                    ..stock::AdjustStockRequest::default()
                };
                told(self.shop.adjust_stock(request, asking).await, |r| {
                    r.level.as_ref().map(|level| Answer::OnHand(level.on_hand))
                })
            }
            Asked::Act { intent, passes, .. } => self.act(key, &intent, passes).await,
        }
    }

    async fn act(&self, key: &str, intent: &str, passes: bool) -> Call {
        let ProviderAccess { url, api_key } = &self.provider;
        let url = format!("{url}/_simulator/payment_intents/{intent}/complete_action");
        let outcome = if passes { "succeeded" } else { "failed" };
        let sent = Instant::now();
        let request = self.http.post(url).bearer_auth(api_key);
        let request = request.header("Idempotency-Key", key);
        let request = request.timeout(PATIENCE.timeout);
        let told = match request.form(&[("outcome", outcome)]).send().await {
            Ok(response) if response.status().is_success() => Told::Ok {
                answer: Answer::Done,
                fingerprint: 0,
            },
            Ok(response) if response.status().is_client_error() => Told::Refused {
                reason: response.status().to_string(),
                message: String::new(),
                order: None,
            },
            Ok(response) => Told::Unknown {
                error: response.status().to_string(),
            },
            Err(error) => Told::Unknown {
                error: error.to_string(),
            },
        };
        Call {
            told,
            attempts: 1,
            sent,
            answered: Instant::now(),
            action_url: None,
        }
    }
}

fn create(order: NewOrder, key: &str) -> pb::CreateOrderRequest {
    let lines = order.lines.into_iter().map(|line| pb::NewOrderLine {
        sku: line.sku,
        quantity: line.quantity,
        unit_price: None,
    });
    let mut request = pb::CreateOrderRequest {
        customer_id: order.customer,
        currency_code: CURRENCY.to_owned(),
        lines: lines.collect(),
        payment_method: order.payment_method,
        // The order tells which call it came from.
        reference: key.to_owned(),
        ..pb::CreateOrderRequest::default()
    };
    if order.manual_capture {
        request.set_capture_method(pb::CaptureMethod::Manual);
    }
    if order.accepted_is_enough {
        request.set_wait(pb::CreateOrderWait::Accepted);
    }
    request
}

fn quantities(lines: &[Units]) -> Vec<pb::LineQuantity> {
    let lines = lines.iter().map(|units| pb::LineQuantity {
        line_number: units.line,
        quantity: units.quantity,
    });
    lines.collect()
}

fn order_told<R: Message + Debug>(
    answered: Answered<R>,
    order: impl Fn(&R) -> &Option<pb::Order>,
) -> Call {
    let action_url = answered.outcome.ok().and_then(|response| {
        let action = order(response).as_ref()?.payment_action.as_ref()?;
        Some(action.redirect_url.clone())
    });
    let call = told(answered, |response| {
        order(response)
            .as_ref()
            .map(|order| Answer::Order(seen(order)))
    });
    Call { action_url, ..call }
}

/// An answer without what it is an answer for is taken for no answer.
fn told<R: Message + Debug>(answered: Answered<R>, essence: impl Fn(&R) -> Option<Answer>) -> Call {
    let told = match &answered.outcome {
        Outcome::Ok(response) => match essence(response) {
            Some(answer) => Told::Ok {
                answer,
                fingerprint: fingerprint(response),
            },
            None => Told::Unknown {
                error: format!("an answer that lacks its content: {response:?}"),
            },
        },
        Outcome::Refused(error) => Told::Refused {
            reason: error.reason.map_or_else(
                || format!("{:?}", error.code),
                |reason| reason.code().to_owned(),
            ),
            message: error.message.clone(),
            order: error.metadata.get("order_id").cloned(),
        },
        Outcome::Shed(error) => Told::Shed {
            reason: error.message.clone(),
        },
        Outcome::Unknown(error) => Told::Unknown {
            error: format!("{:?}: {}", error.code, error.message),
        },
    };
    Call {
        told,
        attempts: answered.attempts,
        sent: answered.sent,
        answered: answered.answered,
        action_url: None,
    }
}

fn fingerprint<R: Message>(response: &R) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&response.encode_to_vec());
    hasher.finish()
}

fn seen(order: &pb::Order) -> OrderSeen {
    let lines = order.lines.iter().map(|line| Wanted {
        sku: line.sku.clone(),
        quantity: line.quantity,
    });
    OrderSeen {
        id: order.id.clone(),
        state: short(order.state().as_str_name(), "ORDER_STATE_"),
        total_minor: order.total.as_ref().map(|total| total.minor_units),
        lines: lines.collect(),
    }
}

fn shipment(shipment: &pb::Fulfillment) -> Answer {
    Answer::Work(WorkSeen {
        id: shipment.id.clone(),
        order: shipment.order_id.clone(),
        state: short(shipment.state().as_str_name(), "WORK_STATE_"),
        amount_minor: None,
    })
}

fn returned(returned: &pb::Return) -> Answer {
    Answer::Work(WorkSeen {
        id: returned.id.clone(),
        order: returned.order_id.clone(),
        state: short(returned.state().as_str_name(), "WORK_STATE_"),
        amount_minor: returned.refund.as_ref().map(|refund| refund.minor_units),
    })
}

fn refunded(order: &str, refund: &pb::RefundOrderResponse) -> Answer {
    Answer::Work(WorkSeen {
        id: refund.refund_id.clone(),
        order: order.to_owned(),
        state: short(refund.state().as_str_name(), "WORK_STATE_"),
        amount_minor: refund.amount.as_ref().map(|amount| amount.minor_units),
    })
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}
