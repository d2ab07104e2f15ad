//! What the tests send, and how they read what comes back.

use std::net::SocketAddr;

use api::common::v1::Money as PbMoney;
use api::order::v1 as pb;
use pb::order_admin_service_client::OrderAdminServiceClient;
use pb::order_service_client::OrderServiceClient;
use rpc::{Reason, Remote};
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::shop::PATIENCE;

pub fn clients(
    address: SocketAddr,
) -> (
    OrderServiceClient<Channel>,
    OrderAdminServiceClient<Channel>,
) {
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy();
    (
        OrderServiceClient::new(channel.clone()),
        OrderAdminServiceClient::new(channel),
    )
}

pub fn fresh_key() -> String {
    format!("test:{}", Uuid::now_v7())
}

pub fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("idempotency-key", key.parse().unwrap());
    request.set_timeout(PATIENCE);
    request
}

pub fn gbp(minor_units: i64) -> PbMoney {
    PbMoney {
        minor_units,
        currency_code: "GBP".to_owned(),
    }
}

/// Two pens and a mug for 7.50 GBP.
pub fn basket() -> pb::CreateOrderRequest {
    pb::CreateOrderRequest {
        customer_id: "anna".to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![line("pen", 2), line("mug", 1)],
        payment_method: "pm_card_visa".to_owned(),
        ..Default::default()
    }
}

pub fn paid_by(payment_method: &str) -> pb::CreateOrderRequest {
    pb::CreateOrderRequest {
        payment_method: payment_method.to_owned(),
        ..basket()
    }
}

pub fn manual() -> pb::CreateOrderRequest {
    pb::CreateOrderRequest {
        capture_method: pb::CaptureMethod::Manual as i32,
        ..basket()
    }
}

pub fn line(sku: &str, quantity: i64) -> pb::NewOrderLine {
    pb::NewOrderLine {
        sku: sku.to_owned(),
        quantity,
        unit_price: None,
    }
}

pub fn remote(status: &Status) -> Remote {
    Remote::from(status)
}

pub fn reason(status: &Status) -> Reason {
    remote(status)
        .reason
        .unwrap_or_else(|| panic!("no reason in {status:?}"))
}
