//! The three services as the client sees them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use api::{
    inventory::v1::{
        self as inventory, inventory_admin_service_client::InventoryAdminServiceClient,
        inventory_service_client::InventoryServiceClient,
    },
    order::v1::{
        self as order, order_admin_service_client::OrderAdminServiceClient,
        order_service_client::OrderServiceClient,
    },
    payment::v1::{
        self as payment, payment_admin_service_client::PaymentAdminServiceClient,
        payment_service_client::PaymentServiceClient,
    },
};
use listener::tls::Connector;
use prost::Name;
use rpc::{Authorized, Token};
use tonic::{Code, Request, Response, Status};

use crate::failure::{CallFailure, Failure};

/// A page of orders with a thousand lines each is larger than tonic's limit.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// What looks like a bug is asked a few times only: it will hardly go away.
const BUG_TRIES: u32 = 3;

/// Where the services are, and how long a call may take.
#[derive(Debug, Clone)]
pub struct Addresses {
    pub order_url: String,
    pub payment_url: String,
    pub inventory_url: String,
    /// What certificates must come from, for `https://`.
    pub ca: Option<PathBuf>,
    pub timeout: Duration,
}

#[derive(Clone)]
pub struct Shop {
    pub orders: Peer<OrderServiceClient<Authorized>>,
    pub order_admin: Peer<OrderAdminServiceClient<Authorized>>,
    pub payments: Peer<PaymentServiceClient<Authorized>>,
    pub payment_admin: Peer<PaymentAdminServiceClient<Authorized>>,
    pub inventory: Peer<InventoryServiceClient<Authorized>>,
    pub inventory_admin: Peer<InventoryAdminServiceClient<Authorized>>,
}

impl Shop {
    /// Nothing is connected until it is used; each call shows `token`. Must
    /// run inside of tokio.
    ///
    /// # Errors
    /// When an address is no URL, or the file of certificates holds none.
    pub fn new(addresses: &Addresses, token: Token) -> Result<Self, Failure> {
        let tls = addresses.ca.as_deref().map(connector).transpose()?;
        let channel = |url: &str| channel(url, tls.as_ref(), token.clone());
        let to_order = channel(&addresses.order_url)?;
        let to_payment = channel(&addresses.payment_url)?;
        let to_inventory = channel(&addresses.inventory_url)?;
        let orders = OrderServiceClient::new(to_order.clone());
        let payments = PaymentServiceClient::new(to_payment.clone());
        let stock = InventoryServiceClient::new(to_inventory.clone());
        let peers = [
            ("order-service", &addresses.order_url),
            ("payment-service", &addresses.payment_url),
            ("inventory-service", &addresses.inventory_url),
        ];
        let [at_order, at_payment, at_inventory] = peers.map(|(service, url)| Place {
            service,
            url: url.clone(),
            timeout: addresses.timeout,
        });
        Ok(Self {
            orders: at_order.peer(orders.max_decoding_message_size(MESSAGE_BYTES_MAX)),
            order_admin: at_order.peer(OrderAdminServiceClient::new(to_order)),
            payments: at_payment.peer(payments.max_decoding_message_size(MESSAGE_BYTES_MAX)),
            payment_admin: at_payment.peer(PaymentAdminServiceClient::new(to_payment)),
            inventory: at_inventory.peer(stock.max_decoding_message_size(MESSAGE_BYTES_MAX)),
            inventory_admin: at_inventory.peer(InventoryAdminServiceClient::new(to_inventory)),
        })
    }
}

impl Shop {
    /// Asks each service for something small, so that one that is not there
    /// is told before any work begins.
    ///
    /// # Errors
    /// The first service that does not answer.
    pub async fn reach(&self) -> Result<(), Failure> {
        let request = order::ListOrdersRequest {
            page_size: 1,
            ..order::ListOrdersRequest::default()
        };
        let orders = self.orders.ask(request, |mut client, request| async move {
            client.list_orders(request).await
        });
        let request = payment::ListPaymentsRequest {
            page_size: 1,
            ..payment::ListPaymentsRequest::default()
        };
        let payments = self
            .payments
            .ask(request, |mut client, request| async move {
                client.list_payments(request).await
            });
        tokio::try_join!(orders, payments, self.reach_inventory()).map(drop)
    }

    /// The same for inventory-service alone.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn reach_inventory(&self) -> Result<(), Failure> {
        let request = inventory::ListLocationsRequest {
            page_size: 1,
            ..inventory::ListLocationsRequest::default()
        };
        let answer = self
            .inventory
            .ask(request, |mut client, request| async move {
                client.list_locations(request).await
            });
        answer.await.map(drop)
    }
}

fn channel(url: &str, tls: Option<&Connector>, token: Token) -> Result<Authorized, Failure> {
    if tls.is_none() && url.starts_with("https:") {
        let message = format!("{url} needs --ca FILE, such as /etc/ssl/certs/ca-certificates.crt");
        return Err(Failure::BadInput(message));
    }
    let channel = rpc::connect(&rpc::PeerSettings::at(url), tls);
    let channel = channel.map_err(|error| Failure::BadInput(error.to_string()))?;
    Ok(Authorized::new(channel, token))
}

fn connector(ca: &Path) -> Result<Connector, Failure> {
    // Fails only where there is one already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Connector::trusting(ca).map_err(|error| Failure::BadInput(error.to_string()))
}

#[derive(Clone)]
struct Place {
    service: &'static str,
    url: String,
    timeout: Duration,
}

impl Place {
    fn peer<C>(&self, client: C) -> Peer<C> {
        Peer {
            place: self.clone(),
            client,
        }
    }
}

/// One gRPC service with its client.
#[derive(Clone)]
pub struct Peer<C> {
    place: Place,
    client: C,
}

impl<C: Clone> Peer<C> {
    /// A call that changes nothing.
    pub async fn ask<M, R, F, Fut>(&self, message: M, send: F) -> Result<R, Failure>
    where
        M: Clone + Name,
        F: Fn(C, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        self.call(None, message, &send).await
    }

    /// A change, asked for once.
    pub async fn change<M, R, F, Fut>(&self, key: &str, message: M, send: F) -> Result<R, Failure>
    where
        M: Clone + Name,
        F: Fn(C, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        self.call(Some(key), message, &send).await
    }

    /// A change, asked for with the same key until there is a definite answer
    /// or `patience` has passed.
    pub async fn insist<M, R, F, Fut>(
        &self,
        key: &str,
        message: M,
        patience: Duration,
        send: F,
    ) -> Result<R, Failure>
    where
        M: Clone + Name,
        F: Fn(C, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let start = Instant::now();
        let mut backoff = BACKOFF_FIRST;
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match self.call(Some(key), message.clone(), &send).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let remote = failure.status().map(rpc::Remote::from);
            let goes_on = |remote: &rpc::Remote| {
                let is_bug = matches!(remote.code, Code::Internal | Code::Unknown);
                remote.is_transient()
                    && start.elapsed() < patience
                    && (!is_bug || tries < BUG_TRIES)
            };
            let Some(remote) = remote.filter(goes_on) else {
                return Err(failure);
            };
            let pause = remote.retry_after.unwrap_or(backoff).min(BACKOFF_MAX);
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// A stream, which has no deadline; `key` is not needed to watch.
    pub async fn open<M, R, F, Fut>(&self, message: M, send: F) -> Result<R, Failure>
    where
        F: Fn(C, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let answer = send(self.client.clone(), Request::new(message)).await;
        answer
            .map(Response::into_inner)
            .map_err(|status| self.failure(status, None))
    }

    /// A status of this peer that came outside of a call, as in a stream.
    pub fn failure(&self, status: Status, key: Option<&str>) -> Failure {
        Failure::Call(Box::new(CallFailure {
            service: self.place.service,
            url: self.place.url.clone(),
            status,
            key: key.map(str::to_owned),
        }))
    }

    async fn call<M, R, F, Fut>(
        &self,
        key: Option<&str>,
        message: M,
        send: &F,
    ) -> Result<R, Failure>
    where
        M: Clone + Name,
        F: Fn(C, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let send = |request| send(self.client.clone(), request);
        rpc::call(message, key, self.place.timeout, send)
            .await
            .map_err(|status| self.failure(status, key))
    }
}
