//! Who did what to orders.

use api::common::v1::{AuditEntry, ListAuditEntriesRequest};

use crate::shop::{Shop, basket};

async fn log(shop: &Shop, method: &str) -> Vec<AuditEntry> {
    let request = ListAuditEntriesRequest {
        method: method.to_owned(),
        ..Default::default()
    };
    let listed = shop.admin.clone().list_audit_entries(request).await;
    listed.unwrap().into_inner().entries
}

#[tokio::test]
async fn whoever_places_and_cancels_an_order_is_in_the_log() {
    let shop = Shop::open().await;
    let order = shop.create_with_key("place-1", basket()).await.unwrap();
    shop.create_with_key("place-1", basket()).await.unwrap();
    shop.cancel(&order.id).await.unwrap();
    let all = log(&shop, "").await;
    let told: Vec<_> = all
        .iter()
        .map(|entry| (entry.method.as_str(), entry.resource.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "cartwright.order.v1.OrderService/CancelOrder",
                order.id.as_str()
            ),
            (
                "cartwright.order.v1.OrderService/CreateOrder",
                order.id.as_str()
            ),
        ]
    );
    assert_eq!(all[1].outcome, "STARTED");
    assert_eq!(all[1].idempotency_key, "place-1");
    assert_eq!(all[1].principal, "local");
    assert_eq!(log(&shop, told[0].0).await.len(), 1);
}
