//! Clients of the three services.

use api::{
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
    payment::v1::payment_admin_service_client::PaymentAdminServiceClient,
};
use rpc::{Authorized, Error, PeerSettings, Token};

use crate::{Answered, Asking, ask};

/// Where the services are: for each a URL, or several of its replicas with
/// commas in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub orders: String,
    pub payments: String,
    pub inventory: String,
}

/// Calls of whoever holds the token. Clones share their connections.
#[derive(Clone)]
pub struct Shop {
    pub orders: OrderServiceClient<Authorized>,
    pub order_admin: OrderAdminServiceClient<Authorized>,
    pub payment_admin: PaymentAdminServiceClient<Authorized>,
    pub stock: InventoryServiceClient<Authorized>,
    pub stock_admin: InventoryAdminServiceClient<Authorized>,
    token: Token,
}

impl Shop {
    /// Connects with the first call, and again whenever it must.
    ///
    /// # Errors
    /// When an endpoint is no address, or the token is none.
    pub fn connect(endpoints: &Endpoints, token: &str) -> Result<Self, Error> {
        let shown = Token::default();
        let to = |url: &str| -> Result<Authorized, Error> {
            let channel = rpc::connect(&PeerSettings::at(url), None)?;
            Ok(Authorized::new(channel, shown.clone()))
        };
        let orders = to(&endpoints.orders)?;
        let payments = to(&endpoints.payments)?;
        let inventory = to(&endpoints.inventory)?;
        let shop = Self {
            orders: OrderServiceClient::new(orders.clone()),
            order_admin: OrderAdminServiceClient::new(orders),
            payment_admin: PaymentAdminServiceClient::new(payments),
            stock: InventoryServiceClient::new(inventory.clone()),
            stock_admin: InventoryAdminServiceClient::new(inventory),
            token: shown,
        };
        shop.show(token).map_err(|source| Error::Token {
            url: endpoints.orders.clone(),
            source,
        })?;
        Ok(shop)
    }

    /// Shows another token from the next call on.
    ///
    /// # Errors
    /// When no header can carry it; the old one stays then.
    pub fn show(&self, token: &str) -> Result<(), rpc::InvalidToken> {
        self.token.set(Some(&token.into()))
    }
}

macro_rules! calls {
    ($($name:ident: $client:ident, $package:ident::$request:ident -> $response:ident;)+) => {
        impl Shop {
            $(
                pub async fn $name(
                    &self,
                    message: $package::$request,
                    asking: Asking<'_>,
                ) -> Answered<$package::$response> {
                    ask(message, asking, |request| {
                        let mut client = self.$client.clone();
                        async move { client.$name(request).await }
                    })
                    .await
                }
            )+
        }
    };
}

calls! {
    create_order: orders, order::CreateOrderRequest -> CreateOrderResponse;
    cancel_order: orders, order::CancelOrderRequest -> CancelOrderResponse;
    create_fulfillment: orders, order::CreateFulfillmentRequest -> CreateFulfillmentResponse;
    create_return: orders, order::CreateReturnRequest -> CreateReturnResponse;
    receive_return: orders, order::ReceiveReturnRequest -> ReceiveReturnResponse;
    refund_order: orders, order::RefundOrderRequest -> RefundOrderResponse;
    get_order: orders, order::GetOrderRequest -> GetOrderResponse;
    adjust_stock: stock, stock::AdjustStockRequest -> AdjustStockResponse;
    set_stock: stock, stock::SetStockRequest -> SetStockResponse;
    batch_upsert_items: stock, stock::BatchUpsertItemsRequest -> BatchUpsertItemsResponse;
}
