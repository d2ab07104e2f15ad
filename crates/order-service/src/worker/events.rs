//! What the other services tell, through Redis Streams. Nothing here is needed
//! for correctness but news of missing stock: sagas look for themselves.

use api::inventory::v1 as inventory;
use api::payment::v1 as payment;
use database::{AsDatabaseError, Connection, Database};
use inventory::inventory_event::Event;
use outbox::{Consumer, HandleError, Handler, Received};
use prost::Message;
use redis_connection::Redis;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use types::OrderId;

use crate::app::{App, Asker, Error};
use crate::domain::Reach;

pub(super) const GROUP: &str = "order-service";

struct PaymentEvents(App);
struct InventoryEvents(App);

pub async fn payment_events(
    app: App,
    db: Database,
    redis: Redis,
    name: String,
    stop: CancellationToken,
) {
    let consumer = Consumer::new(db, redis, "cartwright.payment.v1", GROUP, name);
    consumer.run(PaymentEvents(app), stop).await;
}

pub async fn inventory_events(
    app: App,
    db: Database,
    redis: Redis,
    name: String,
    stop: CancellationToken,
) {
    let consumer = Consumer::new(db, redis, "cartwright.inventory.v1", GROUP, name);
    consumer.run(InventoryEvents(app), stop).await;
}

impl Handler for PaymentEvents {
    async fn handle(&self, tx: &mut Connection, event: &Received) -> Result<(), HandleError> {
        let message = payment::PaymentEvent::decode(event.payload.as_slice());
        let message = message.map_err(HandleError::failed)?;
        let payment = message.payment.unwrap_or_default();
        let order = OrderId::parse(&payment.order_id).map_err(HandleError::failed)?;
        Span::current().record("order.id", tracing::field::display(order));
        self.0.heed_payment(tx, order).await.map_err(failed)
    }
}

impl Handler for InventoryEvents {
    async fn handle(&self, tx: &mut Connection, event: &Received) -> Result<(), HandleError> {
        let message = inventory::InventoryEvent::decode(event.payload.as_slice());
        let message = message.map_err(HandleError::failed)?;
        let Some(Event::StockShortfall(missing)) = message.event else {
            return Ok(());
        };
        let order = OrderId::parse(&message.order_id).map_err(HandleError::failed)?;
        let asker = Asker {
            reach: Reach::All,
            actor: "inventory-service".to_owned(),
            traceparent: telemetry::propagation::current_traceparent()
                .or_else(|| event.traceparent.clone()),
        };
        let (sku, place, units) = (missing.sku, missing.location_id, missing.quantity);
        let text = format!("{units} units of {sku} that were promised are missing at {place}");
        let heeded = self.0.heed_shortfall(tx, order, text, &asker).await;
        heeded.map_err(failed)
    }
}

fn failed(error: Error) -> HandleError {
    match error {
        Error::Database(error) => error.into(),
        error => {
            debug_assert!(error.as_database_error().is_none());
            HandleError::failed(error)
        }
    }
}
