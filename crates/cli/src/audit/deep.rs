//! What no service can check alone: each order beside its reservation and its
//! payment. Read over the public API, page by page, so it may run on a shop
//! that is open: an order that changed while it was looked at is not judged.

use api::{inventory::v1 as inventory, order::v1 as pb, payment::v1 as payment};
use futures::{StreamExt, TryStreamExt, stream};
use tonic::Code;

use super::Finding;
use crate::{command, failure::Failure, shop::Shop};

const PAGE: i32 = 100;
const CONCURRENCY: usize = 16;
const SAMPLES_MAX: usize = 10;

/// What an order broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breach {
    NotCovered,
    StockHeld,
    MoneyKept,
}

/// # Errors
/// When a service does not answer.
pub async fn run(shop: &Shop) -> Result<Vec<Finding>, Failure> {
    let mut breaches = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListOrdersRequest {
            page_size: PAGE,
            page_token,
            ..pb::ListOrdersRequest::default()
        };
        let page = shop.orders.ask(request, |mut client, request| async move {
            client.list_orders(request).await
        });
        let page = page.await?;
        let judged = stream::iter(&page.orders).map(|order| judge(order, shop));
        let judged: Vec<_> = judged.buffer_unordered(CONCURRENCY).try_collect().await?;
        breaches.extend(judged.into_iter().flatten());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(findings(&breaches));
        }
    }
}

fn findings(breaches: &[(Breach, String)]) -> Vec<Finding> {
    let rules = [
        (
            Breach::NotCovered,
            "O2",
            "a confirmed order has its stock committed and its funds held",
        ),
        (
            Breach::StockHeld,
            "O3",
            "a rejected or cancelled order holds no stock",
        ),
        (
            Breach::MoneyKept,
            "O4",
            "a rejected or cancelled order keeps no money",
        ),
    ];
    let finding = |(rule, invariant, description): (Breach, &str, &str)| {
        let broken = breaches.iter().filter(|(breach, _)| *breach == rule);
        let ids: Vec<String> = broken.map(|(_, id)| id.clone()).collect();
        Finding {
            service: "all",
            invariant: invariant.to_owned(),
            description: description.to_owned(),
            violations: i64::try_from(ids.len()).unwrap_or(i64::MAX),
            samples: ids.into_iter().take(SAMPLES_MAX).collect(),
        }
    };
    rules.map(finding).into()
}

async fn judge(order: &pb::Order, shop: &Shop) -> Result<Vec<(Breach, String)>, Failure> {
    let (reservation, payments) =
        tokio::try_join!(reservation(&order.id, shop), payments(&order.id, shop),)?;
    let breaches = breaches(order, reservation.as_ref(), &payments);
    if breaches.is_empty() {
        return Ok(Vec::new());
    }
    let now = command::order::fetch(&order.id, shop).await?;
    if now.sequence != order.sequence {
        return Ok(Vec::new());
    }
    let named = breaches
        .into_iter()
        .map(|breach| (breach, order.id.clone()));
    Ok(named.collect())
}

async fn reservation(
    order_id: &str,
    shop: &Shop,
) -> Result<Option<inventory::Reservation>, Failure> {
    let request = inventory::GetReservationRequest {
        order_id: order_id.to_owned(),
    };
    let answer = shop
        .inventory
        .ask(request, |mut client, request| async move {
            client.get_reservation(request).await
        });
    match answer.await {
        Ok(answer) => Ok(answer.reservation),
        Err(failure) if failure.status().map(tonic::Status::code) == Some(Code::NotFound) => {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

async fn payments(order_id: &str, shop: &Shop) -> Result<Vec<payment::Payment>, Failure> {
    let request = payment::ListPaymentsRequest {
        order_id: order_id.to_owned(),
        page_size: PAGE,
        ..payment::ListPaymentsRequest::default()
    };
    let answer = shop
        .payments
        .ask(request, |mut client, request| async move {
            client.list_payments(request).await
        });
    Ok(answer.await?.payments)
}

fn breaches(
    order: &pb::Order,
    reservation: Option<&inventory::Reservation>,
    payments: &[payment::Payment],
) -> Vec<Breach> {
    use inventory::ReservationState as Stock;
    use pb::OrderState as State;
    let stock = reservation.map_or(Stock::Unspecified, inventory::Reservation::state);
    let mut breaches = Vec::new();
    match order.state() {
        State::Confirmed | State::PartiallyFulfilled | State::Fulfilled => {
            let is_promised = matches!(stock, Stock::Committed | Stock::Fulfilled);
            let total = order.total.as_ref().map_or(0, |total| total.minor_units);
            let held = payments.iter().map(held_minor).sum::<i64>();
            if !is_promised || held < total {
                breaches.push(Breach::NotCovered);
            }
        }
        State::Rejected | State::Cancelled => {
            if matches!(stock, Stock::Held | Stock::Committed | Stock::Fulfilled) {
                breaches.push(Breach::StockHeld);
            }
            if payments.iter().any(keeps_money) {
                breaches.push(Breach::MoneyKept);
            }
        }
        _ => {}
    }
    breaches
}

/// What was taken, or is promised and can still be taken.
fn held_minor(payment: &payment::Payment) -> i64 {
    use payment::PaymentState as State;
    let minor =
        |money: &Option<api::common::v1::Money>| money.as_ref().map_or(0, |m| m.minor_units);
    match payment.state() {
        State::Authorized | State::PartiallyCaptured => minor(&payment.authorized),
        State::Captured => minor(&payment.captured),
        _ => 0,
    }
}

fn keeps_money(payment: &payment::Payment) -> bool {
    use payment::PaymentState as State;
    let minor =
        |money: &Option<api::common::v1::Money>| money.as_ref().map_or(0, |m| m.minor_units);
    let is_live = matches!(
        payment.state(),
        State::Created
            | State::Processing
            | State::RequiresAction
            | State::Authorized
            | State::PartiallyCaptured
    );
    let returned = minor(&payment.refunded) + minor(&payment.refund_pending);
    is_live || minor(&payment.captured) != returned
}

#[cfg(test)]
mod tests {
    use super::*;
    use inventory::ReservationState as Stock;
    use payment::PaymentState as Paid;
    use pb::OrderState as State;

    fn money(minor_units: i64) -> Option<api::common::v1::Money> {
        Some(api::common::v1::Money {
            minor_units,
            currency_code: "GBP".to_owned(),
        })
    }

    fn breaches_of(state: State, stock: Option<Stock>, paid: &[(Paid, i64, i64)]) -> Vec<Breach> {
        let order = pb::Order {
            state: state.into(),
            total: money(100),
            ..pb::Order::default()
        };
        let reservation = stock.map(|stock| inventory::Reservation {
            state: stock.into(),
            ..inventory::Reservation::default()
        });
        let payments = paid
            .iter()
            .map(|(state, taken, returned)| payment::Payment {
                state: (*state).into(),
                authorized: money(100),
                captured: money(*taken),
                refunded: money(*returned),
                ..payment::Payment::default()
            });
        let payments: Vec<_> = payments.collect();
        breaches(&order, reservation.as_ref(), &payments)
    }

    #[test]
    fn a_confirmed_order_needs_its_stock_and_its_money() {
        let ok = [(Paid::Authorized, 0, 0)];
        assert_eq!(
            breaches_of(State::Confirmed, Some(Stock::Committed), &ok),
            []
        );
        let taken = [(Paid::Captured, 100, 40)];
        assert_eq!(
            breaches_of(State::Fulfilled, Some(Stock::Fulfilled), &taken),
            []
        );
        let none = [Breach::NotCovered];
        assert_eq!(breaches_of(State::Confirmed, Some(Stock::Held), &ok), none);
        assert_eq!(breaches_of(State::Confirmed, None, &ok), none);
        assert_eq!(
            breaches_of(State::Confirmed, Some(Stock::Committed), &[]),
            none
        );
        let little = [(Paid::Captured, 99, 0)];
        assert_eq!(
            breaches_of(State::Confirmed, Some(Stock::Committed), &little),
            none
        );
    }

    #[test]
    fn a_dead_order_holds_no_stock_and_keeps_no_money() {
        for state in [State::Rejected, State::Cancelled] {
            let refunded = [(Paid::Captured, 100, 100), (Paid::Voided, 0, 0)];
            assert_eq!(breaches_of(state, Some(Stock::Released), &refunded), []);
            assert_eq!(breaches_of(state, None, &[(Paid::Declined, 0, 0)]), []);
            let held = breaches_of(state, Some(Stock::Held), &[]);
            assert_eq!(held, [Breach::StockHeld]);
            for kept in [(Paid::Captured, 100, 40), (Paid::Authorized, 0, 0)] {
                assert_eq!(breaches_of(state, None, &[kept]), [Breach::MoneyKept]);
            }
        }
    }

    #[test]
    fn an_order_under_way_is_not_judged() {
        assert_eq!(breaches_of(State::Pending, None, &[]), []);
        assert_eq!(breaches_of(State::Compensating, Some(Stock::Held), &[]), []);
    }
}
