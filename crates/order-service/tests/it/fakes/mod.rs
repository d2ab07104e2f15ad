//! Stand-ins for the two peers: real gRPC servers with real books in memory.
//! Keys, tombstones and refusals are as the contract says, so that what the
//! saga leans on is there.

pub mod faults;
pub mod inventory;
pub mod keys;
pub mod money;
pub mod payments;

use std::net::SocketAddr;
use std::sync::Arc;

use api::inventory::v1::inventory_service_server::InventoryServiceServer;
use api::payment::v1::payment_service_server::PaymentServiceServer;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use faults::Faults;
use inventory::{Inventory, Stock};
use money::Money;
use payments::Payments;

/// Methods that a test has no use for.
macro_rules! unused {
    ($($name:ident: $request:ident => $response:ident),+ $(,)?) => {
        $(
            fn $name<'a, 'b>(
                &'a self,
                _: tonic::Request<pb::$request>,
            ) -> std::pin::Pin<
                Box<
                    dyn Future<Output = Result<tonic::Response<pb::$response>, tonic::Status>>
                        + Send
                        + 'b,
                >,
            >
            where
                'a: 'b,
                Self: 'b,
            {
                Box::pin(async { Err(tonic::Status::unimplemented("not needed here")) })
            }
        )+
    };
}
pub(crate) use unused;

/// Both peers, and a handle on their books.
#[derive(Clone)]
pub struct Fakes {
    pub stock: Arc<Stock>,
    pub money: Arc<Money>,
    pub faults: Arc<Faults>,
    pub inventory: SocketAddr,
    pub payment: SocketAddr,
}

impl Fakes {
    pub async fn start() -> Fakes {
        let stock = Arc::new(Stock::default());
        let money = Arc::new(Money::default());
        let faults = Arc::new(Faults::default());
        let serve = |routes: tonic::service::Routes| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let server = Server::builder().add_routes(routes);
            tokio::spawn(server.serve_with_incoming(incoming));
            address
        };
        let inventory = Inventory::new(stock.clone(), faults.clone());
        let payments = Payments::new(money.clone(), faults.clone());
        let inventory = InventoryServiceServer::new(inventory);
        let payments = PaymentServiceServer::new(payments);
        Fakes {
            inventory: serve(tonic::service::Routes::new(inventory)).await,
            payment: serve(tonic::service::Routes::new(payments)).await,
            stock,
            money,
            faults,
        }
    }
}
