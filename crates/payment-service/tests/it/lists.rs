//! Pages: newest first, complete, signed.

use std::collections::HashSet;

use api::payment::v1 as pb;
use rpc::Reason;
use types::OrderId;

use crate::shop::{Shop, creation, reason};

#[tokio::test]
async fn payments_are_listed_newest_first_page_by_page() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(shop.authorized().await.id);
    }
    made.reverse();
    let mut listed = Vec::new();
    let mut request = pb::ListPaymentsRequest {
        page_size: 3,
        ..Default::default()
    };
    loop {
        let page = shop
            .client
            .clone()
            .list_payments(request.clone())
            .await
            .unwrap();
        let page = page.into_inner();
        assert!(page.payments.len() <= 3);
        listed.extend(page.payments.into_iter().map(|payment| payment.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn payments_are_filtered_by_order_and_state() {
    let shop = Shop::open().await;
    let order = OrderId::generate();
    assert!(shop.create(order, "pm_card_chargeDeclined").await.is_err());
    let second = creation(order, 2, 1_000, "pm_card_visa");
    let second = shop.create_keyed("2", second).await.unwrap();
    let other = shop.authorized().await;
    let list = async |order: String, state: pb::PaymentState| {
        let request = pb::ListPaymentsRequest {
            order_id: order,
            state: state.into(),
            ..Default::default()
        };
        let page = shop.client.clone().list_payments(request).await.unwrap();
        let payments = page.into_inner().payments.into_iter();
        payments.map(|payment| payment.id).collect::<HashSet<_>>()
    };
    let of_order = order.to_string();
    assert_eq!(
        list(of_order.clone(), pb::PaymentState::Unspecified)
            .await
            .len(),
        2
    );
    assert_eq!(
        list(of_order, pb::PaymentState::Authorized).await,
        HashSet::from([second.id.clone()])
    );
    assert_eq!(
        list(String::new(), pb::PaymentState::Authorized).await,
        HashSet::from([second.id, other.id])
    );
    let unknown = pb::ListPaymentsRequest {
        state: 99,
        ..Default::default()
    };
    let refused = shop.client.clone().list_payments(unknown).await;
    assert_eq!(reason(refused), Reason::InvalidField);
}

#[tokio::test]
async fn a_token_of_another_list_is_refused_and_so_is_a_bad_size() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.authorized().await;
    }
    let one = pb::ListPaymentsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = shop
        .client
        .clone()
        .list_payments(one.clone())
        .await
        .unwrap();
    let token = page.into_inner().next_page_token;
    let refunds = pb::ListRefundsRequest {
        page_token: token.clone(),
        ..Default::default()
    };
    let refused = shop.client.clone().list_refunds(refunds).await;
    assert_eq!(reason(refused), Reason::PageTokenInvalid);
    let filtered = pb::ListPaymentsRequest {
        page_token: token,
        state: pb::PaymentState::Voided.into(),
        ..one.clone()
    };
    let refused = shop.client.clone().list_payments(filtered).await;
    assert_eq!(reason(refused), Reason::PageTokenInvalid);
    for page_size in [-1, 101] {
        let request = pb::ListPaymentsRequest {
            page_size,
            ..Default::default()
        };
        let refused = shop.client.clone().list_payments(request).await;
        assert_eq!(reason(refused), Reason::InvalidField);
    }
}

#[tokio::test]
async fn refunds_are_listed_by_payment_by_order_and_all() {
    let shop = Shop::open().await;
    let one = shop.captured_by("pm_card_visa").await;
    let other = shop.captured_by("pm_card_visa").await;
    for amount in [100, 200, 300] {
        shop.refund(&one.id, Some(amount)).await.unwrap();
    }
    shop.refund(&other.id, None).await.unwrap();
    let list = async |payment_id: &str, order_id: &str, page_size: i32| {
        let mut amounts = Vec::new();
        let mut request = pb::ListRefundsRequest {
            payment_id: payment_id.to_owned(),
            order_id: order_id.to_owned(),
            page_size,
            page_token: String::new(),
        };
        loop {
            let page = shop
                .client
                .clone()
                .list_refunds(request.clone())
                .await
                .unwrap();
            let page = page.into_inner();
            let refunds = page.refunds.into_iter();
            amounts.extend(refunds.map(|refund| refund.amount.unwrap().minor_units));
            if page.next_page_token.is_empty() {
                return amounts;
            }
            request.page_token = page.next_page_token;
        }
    };
    assert_eq!(list(&one.id, "", 2).await, [300, 200, 100]);
    assert_eq!(list("", &one.order_id, 2).await, [300, 200, 100]);
    assert_eq!(list(&one.id, &one.order_id, 0).await, [300, 200, 100]);
    assert_eq!(list(&one.id, &other.order_id, 0).await, Vec::<i64>::new());
    assert_eq!(list("", "", 3).await, [1_000, 300, 200, 100]);
}

#[tokio::test]
async fn the_ledger_is_listed_oldest_first_and_sums_to_nothing() {
    let shop = Shop::open().await;
    let payment = shop.captured_by("pm_card_visa").await;
    shop.refund(&payment.id, Some(400)).await.unwrap();
    let other = shop.captured_by("pm_card_visa").await;
    let list = async |payment_id: &str, order_id: &str, page_size: i32| {
        let mut entries = Vec::new();
        let mut request = pb::ListLedgerEntriesRequest {
            payment_id: payment_id.to_owned(),
            order_id: order_id.to_owned(),
            page_size,
            page_token: String::new(),
        };
        loop {
            let page = shop
                .client
                .clone()
                .list_ledger_entries(request.clone())
                .await;
            let page = page.unwrap().into_inner();
            entries.extend(page.entries);
            if page.next_page_token.is_empty() {
                return entries;
            }
            request.page_token = page.next_page_token;
        }
    };
    let amounts = |entries: &[pb::LedgerEntry]| {
        let legs = entries.iter();
        legs.map(|leg| (leg.account(), leg.amount.as_ref().unwrap().minor_units))
            .collect::<Vec<_>>()
    };
    use pb::LedgerAccount::{Provider, Refunds, Sales};
    let of_payment = list(&payment.id, "", 1).await;
    assert_eq!(
        amounts(&of_payment),
        [
            (Provider, 1_000),
            (Sales, -1_000),
            (Refunds, 400),
            (Provider, -400)
        ]
    );
    assert_eq!(list("", &payment.order_id, 3).await, of_payment);
    let all = list("", "", 2).await;
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by_key(|leg| leg.id));
    assert!(all[4..].iter().all(|leg| leg.payment_id == other.id));
}
