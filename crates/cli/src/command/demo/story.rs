//! The four stories, and how each must end.

use std::time::{Duration, Instant};

use api::order::v1 as pb;

use super::catalogue::{LAST_LAMP, MUG, new_key};
use crate::{command::timeline, failure::Failure, shop::Shop, show};

const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);

pub struct Story {
    pub title: &'static str,
    sku: &'static str,
    quantity: i64,
    payment_method: &'static str,
    then: Then,
    /// The reason with which the order is refused, if it is to be.
    refusal: Option<&'static str>,
    state: pb::OrderState,
    payment_state: pb::OrderPaymentState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Cancel,
}

/// How a story ended.
pub struct End {
    pub refusal: Option<String>,
    pub timeline: pb::GetOrderTimelineResponse,
}

pub const STORIES: &[Story] = &[
    Story {
        title: "An order that is confirmed and paid",
        sku: MUG,
        quantity: 2,
        payment_method: "pm_card_visa",
        then: Then::Nothing,
        refusal: None,
        state: pb::OrderState::Confirmed,
        payment_state: pb::OrderPaymentState::Captured,
    },
    Story {
        title: "A card that is declined",
        sku: MUG,
        quantity: 1,
        payment_method: "pm_card_chargeDeclined",
        then: Then::Nothing,
        refusal: Some("PAYMENT_DECLINED"),
        state: pb::OrderState::Rejected,
        payment_state: pb::OrderPaymentState::None,
    },
    Story {
        title: "Two of the last lamp",
        sku: LAST_LAMP,
        quantity: 2,
        payment_method: "pm_card_visa",
        then: Then::Nothing,
        refusal: Some("OUT_OF_STOCK"),
        state: pb::OrderState::Rejected,
        payment_state: pb::OrderPaymentState::None,
    },
    Story {
        title: "A cancel after the money was taken",
        sku: MUG,
        quantity: 3,
        payment_method: "pm_card_visa",
        then: Then::Cancel,
        refusal: None,
        state: pb::OrderState::Cancelled,
        payment_state: pb::OrderPaymentState::Refunded,
    },
];

impl Story {
    pub async fn play(&self, shop: &Shop) -> Result<End, Failure> {
        let (order_id, refusal) = self.order(shop).await?;
        if self.then == Then::Cancel && refusal.is_none() {
            wait(&order_id, shop, |order| {
                order.payment_state() == pb::OrderPaymentState::Captured
            })
            .await?;
            cancel(&order_id, shop).await?;
        }
        let timeline = wait(&order_id, shop, |order| self.fits(order)).await?;
        Ok(End { refusal, timeline })
    }

    /// The order's id and, if it was refused, the answer.
    async fn order(&self, shop: &Shop) -> Result<(String, Option<String>), Failure> {
        let line = pb::NewOrderLine {
            sku: self.sku.to_owned(),
            quantity: self.quantity,
            unit_price: None,
        };
        let key = new_key();
        let request = pb::CreateOrderRequest {
            customer_id: "demo".to_owned(),
            currency_code: "GBP".to_owned(),
            lines: vec![line],
            payment_method: self.payment_method.to_owned(),
            ..pb::CreateOrderRequest::default()
        };
        let answer = shop
            .orders
            .change(&key, request, |mut client, request| async move {
                client.create_order(request).await
            });
        match answer.await {
            Ok(answer) => Ok((answer.order.unwrap_or_default().id, None)),
            Err(failure) => {
                let remote = failure.status().map(rpc::Remote::from);
                let order_id = remote.and_then(|mut remote| remote.metadata.remove("order_id"));
                let refusal = failure.to_string();
                order_id.map(|id| (id, Some(refusal))).ok_or(failure)
            }
        }
    }

    /// What is not as it should be.
    pub fn judge(&self, end: &End) -> Option<String> {
        let order = end.timeline.order.clone().unwrap_or_default();
        if !self.fits(&order) {
            let state = show::order_state(order.state);
            let payment = show::order_payment_state(order.payment_state);
            return Some(format!("the order is {state}, its payment {payment}"));
        }
        match (self.refusal, &end.refusal) {
            (None, Some(refusal)) => Some(format!("it was refused: {refusal}")),
            (Some(reason), Some(refusal)) if refusal.contains(reason) => None,
            (Some(reason), _) => Some(format!("it was not refused with {reason}")),
            (None, None) => None,
        }
    }

    /// A declined or short order took no money, whatever its payment is called.
    fn fits(&self, order: &pb::Order) -> bool {
        let took_nothing = order
            .captured
            .as_ref()
            .is_none_or(|money| money.minor_units == 0);
        let payment_fits = match self.payment_state {
            pb::OrderPaymentState::None => took_nothing,
            state => order.payment_state() == state,
        };
        order.state() == self.state && payment_fits
    }
}

async fn cancel(order_id: &str, shop: &Shop) -> Result<(), Failure> {
    let key = new_key();
    let request = pb::CancelOrderRequest {
        order_id: order_id.to_owned(),
        reason: "the customer thought better of it".to_owned(),
        etag: String::new(),
    };
    let answer = shop
        .orders
        .change(&key, request, |mut client, request| async move {
            client.cancel_order(request).await
        });
    answer.await.map(drop)
}

/// The story so far, once it fits or patience ends.
async fn wait(
    order_id: &str,
    shop: &Shop,
    fits: impl Fn(&pb::Order) -> bool,
) -> Result<pb::GetOrderTimelineResponse, Failure> {
    let start = Instant::now();
    loop {
        let story = timeline::fetch(order_id, shop).await?;
        if story.order.as_ref().is_some_and(&fits) || start.elapsed() > PATIENCE {
            return Ok(story);
        }
        tokio::time::sleep(POLL).await;
    }
}
