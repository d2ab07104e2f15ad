//! Calls of a client, as short as a test wants them.

use std::time::Duration;

use api::{
    common::v1::{AuditFinding, Money},
    contract::Method,
    inventory::v1 as stock,
    inventory::v1::{
        inventory_admin_service_client::InventoryAdminServiceClient,
        inventory_service_client::InventoryServiceClient,
    },
    order::v1 as order,
    order::v1::{
        order_admin_service_client::OrderAdminServiceClient,
        order_service_client::OrderServiceClient,
    },
    payment::v1 as payment,
    payment::v1::{
        payment_admin_service_client::PaymentAdminServiceClient,
        payment_service_client::PaymentServiceClient,
    },
};
use listener::tls::Connector;
use rpc::{Authorized, Channel, PeerSettings, Token};
use tonic::Status;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Clients of the three services.
#[derive(Clone)]
pub struct Calls {
    token: String,
    channels: [Channel; 3],
    pub orders: OrderServiceClient<Authorized>,
    pub order_admin: OrderAdminServiceClient<Authorized>,
    pub payments: PaymentServiceClient<Authorized>,
    pub payment_admin: PaymentAdminServiceClient<Authorized>,
    pub stock: InventoryServiceClient<Authorized>,
    pub stock_admin: InventoryAdminServiceClient<Authorized>,
}

/// `quantity` of `sku` at its list price.
pub fn line(sku: &str, quantity: i64) -> order::NewOrderLine {
    order::NewOrderLine {
        sku: sku.to_owned(),
        quantity,
        unit_price: None,
    }
}

/// An order in GBP, paid with a card that works.
pub fn order_request(lines: Vec<order::NewOrderLine>) -> order::CreateOrderRequest {
    order::CreateOrderRequest {
        customer_id: "ada".to_owned(),
        currency_code: "GBP".to_owned(),
        lines,
        payment_method: "pm_card_visa".to_owned(),
        ..Default::default()
    }
}

impl Calls {
    /// Calls of whoever `token` is for, to order, payment and inventory.
    pub(crate) fn to(urls: [String; 3], tls: Option<&Connector>, token: String) -> Self {
        let channels =
            urls.map(|url| rpc::connect(&PeerSettings::at(url), tls).expect("an address of ours"));
        Self::over(channels, token)
    }

    fn over(channels: [Channel; 3], token: String) -> Self {
        let shown = Token::default();
        shown.set(Some(&token.as_str().into())).expect("a token");
        let [order, payment, inventory] = channels
            .clone()
            .map(|channel| Authorized::new(channel, shown.clone()));
        Self {
            token,
            channels,
            orders: OrderServiceClient::new(order.clone()),
            order_admin: OrderAdminServiceClient::new(order),
            payments: PaymentServiceClient::new(payment.clone()),
            payment_admin: PaymentAdminServiceClient::new(payment),
            stock: InventoryServiceClient::new(inventory.clone()),
            stock_admin: InventoryAdminServiceClient::new(inventory),
        }
    }

    /// The same of somebody else.
    pub fn with_token(&self, token: String) -> Self {
        Self::over(self.channels.clone(), token)
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// To the service that has `method`, without a token.
    pub fn channel(&self, method: &Method) -> Channel {
        let [order, payment, inventory] = &self.channels;
        let service = method.path.split('.').nth(1);
        match service {
            Some("order") => order.clone(),
            Some("payment") => payment.clone(),
            _ => inventory.clone(),
        }
    }

    /// An item at 10.00 GBP with this much of it at the main location.
    pub async fn stocked(&self, sku: &str, on_hand: i64) {
        let item = stock::UpsertItemRequest {
            item: Some(stock::Item {
                sku: sku.to_owned(),
                title: sku.to_owned(),
                list_price: Some(Money {
                    minor_units: 1000,
                    currency_code: "GBP".to_owned(),
                }),
                ..Default::default()
            }),
        };
        let key = Uuid::now_v7().to_string();
        rpc::call(item, Some(&key), TIMEOUT, |request| {
            let mut client = self.stock.clone();
            async move { client.upsert_item(request).await }
        })
        .await
        .expect("an item");
        let broken = self.set_stock(sku, on_hand).await;
        assert!(broken.is_empty(), "a first stock breaks no promise");
    }

    /// Sets what is on hand, by force; gives the orders whose promise it broke.
    pub async fn set_stock(&self, sku: &str, on_hand: i64) -> Vec<String> {
        let set = stock::SetStockRequest {
            sku: sku.to_owned(),
            on_hand,
            reason: "counted".to_owned(),
            force: true,
            ..Default::default()
        };
        let key = Uuid::now_v7().to_string();
        let set = rpc::call(set, Some(&key), TIMEOUT, |request| {
            let mut client = self.stock.clone();
            async move { client.set_stock(request).await }
        });
        set.await.expect("stock").shortfall_order_ids
    }

    /// Waits until an order is in a state.
    pub async fn reached(&self, id: &str, state: order::OrderState) {
        let deadline = std::time::Instant::now() + TIMEOUT;
        loop {
            let order = self.order(id).await;
            if order.state() == state {
                return;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "not {state:?}: {order:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The level at the first location.
    pub async fn level(&self, sku: &str) -> stock::StockLevel {
        let request = stock::GetStockRequest {
            sku: sku.to_owned(),
        };
        let response = self.stock.clone().get_stock(request).await;
        let levels = response.expect("stock").into_inner().levels;
        levels.into_iter().next().expect("a level")
    }

    pub async fn create(
        &self,
        key: &str,
        request: order::CreateOrderRequest,
    ) -> Result<order::Order, Status> {
        let response = rpc::call(request, Some(key), TIMEOUT, |request| {
            let mut client = self.orders.clone();
            async move { client.create_order(request).await }
        })
        .await?;
        Ok(response.order.expect("an order"))
    }

    pub async fn cancel(&self, id: &str) -> Result<order::Order, Status> {
        let request = order::CancelOrderRequest {
            order_id: id.to_owned(),
            reason: "changed my mind".to_owned(),
            etag: String::new(),
        };
        let key = format!("cancel-{}", Uuid::now_v7());
        let response = rpc::call(request, Some(&key), TIMEOUT, |request| {
            let mut client = self.orders.clone();
            async move { client.cancel_order(request).await }
        })
        .await?;
        Ok(response.order.expect("an order"))
    }

    pub async fn order(&self, id: &str) -> order::Order {
        let request = order::GetOrderRequest {
            order_id: id.to_owned(),
        };
        let response = self.orders.clone().get_order(request).await;
        response
            .expect("an order")
            .into_inner()
            .order
            .expect("an order")
    }

    /// All orders, over all pages.
    pub async fn all_orders(&self) -> Vec<order::Order> {
        let mut orders = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = order::ListOrdersRequest {
                page_size: 100,
                page_token,
                ..Default::default()
            };
            let page = self.orders.clone().list_orders(request).await;
            let page = page.expect("a page").into_inner();
            orders.extend(page.orders);
            if page.next_page_token.is_empty() {
                return orders;
            }
            page_token = page.next_page_token;
        }
    }

    pub async fn payment_of(&self, order_id: &str) -> payment::Payment {
        let request = payment::GetPaymentRequest {
            target: Some(payment::get_payment_request::Target::OrderId(
                order_id.to_owned(),
            )),
            refresh: false,
        };
        let response = self.payments.clone().get_payment(request).await;
        response
            .expect("a payment")
            .into_inner()
            .payment
            .expect("a payment")
    }

    /// Sagas that have not ended.
    pub async fn open_sagas(&self) -> usize {
        let request = order::ListSagasRequest {
            page_size: 100,
            ..Default::default()
        };
        let response = self.order_admin.clone().list_sagas(request).await;
        response.map_or(usize::MAX, |response| response.into_inner().sagas.len())
    }

    /// Waits until no saga is open.
    pub async fn settled(&self, within: Duration) {
        let deadline = std::time::Instant::now() + within;
        while self.open_sagas().await > 0 {
            assert!(
                std::time::Instant::now() < deadline,
                "sagas are open after {within:?}: {:?}",
                self.order_admin
                    .clone()
                    .list_sagas(order::ListSagasRequest::default())
                    .await
                    .map(|response| response.into_inner().sagas)
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every invariant of every service that is broken.
    pub async fn violations(&self) -> Vec<AuditFinding> {
        let orders = self
            .order_admin
            .clone()
            .run_audit(order::RunAuditRequest {})
            .await
            .expect("an audit of orders");
        let payments = self
            .payment_admin
            .clone()
            .run_audit(payment::RunAuditRequest::default())
            .await
            .expect("an audit of payments");
        let stock = self
            .stock_admin
            .clone()
            .run_audit(stock::RunAuditRequest {})
            .await
            .expect("an audit of stock");
        let findings = [
            orders.into_inner().findings,
            payments.into_inner().findings,
            stock.into_inner().findings,
        ];
        findings
            .into_iter()
            .flatten()
            .filter(|finding| finding.violations != 0)
            .collect()
    }
}
