//! Those in this process who wait for something to happen to an order. Nothing
//! hangs on it: whoever hears nothing looks into the database.

use std::collections::HashMap;
use std::sync::Arc;

use idempotency::Saved;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use types::OrderId;
use uuid::Uuid;

/// The verb, and the order or work whose end it waits for.
pub type Awaited = (&'static str, Uuid);

/// An answer that was stored and committed.
#[derive(Debug, Clone)]
pub struct Told {
    pub awaited: Awaited,
    pub saved: Saved,
}

/// Callers who wait for the answer of a verb.
#[derive(Debug, Default)]
pub struct Callers(Mutex<HashMap<Awaited, Vec<oneshot::Sender<Saved>>>>);

impl Callers {
    pub fn expect(&self, awaited: Awaited) -> oneshot::Receiver<Saved> {
        let (answer, answered) = oneshot::channel();
        let mut callers = self.0.lock();
        let waiting = callers.entry(awaited).or_default();
        waiting.retain(|other| !other.is_closed());
        waiting.push(answer);
        answered
    }

    pub fn tell(&self, told: Told) {
        let waiting = self.0.lock().remove(&told.awaited);
        for answer in waiting.into_iter().flatten() {
            let _ = answer.send(told.saved.clone());
        }
    }

    /// Call it when the waiting is over, however it ended.
    pub fn forget(&self, awaited: Awaited) {
        let mut callers = self.0.lock();
        if let Some(waiting) = callers.get_mut(&awaited) {
            waiting.retain(|other| !other.is_closed());
            if waiting.is_empty() {
                callers.remove(&awaited);
            }
        }
    }
}

/// Streams that wait for the next event of an order.
#[derive(Debug, Default)]
pub struct Bells(Arc<Mutex<Listeners>>);

/// The bell of each order that is listened to, and how many listen.
type Listeners = HashMap<OrderId, (Arc<Notify>, usize)>;

/// One stream's place at the bell of its order.
#[derive(Debug)]
pub struct Listener {
    order: OrderId,
    bell: Arc<Notify>,
    bells: Arc<Mutex<Listeners>>,
}

impl Bells {
    pub fn listen(&self, order: OrderId) -> Listener {
        let mut bells = self.0.lock();
        let (bell, listeners) = bells.entry(order).or_default();
        *listeners += 1;
        Listener {
            order,
            bell: bell.clone(),
            bells: self.0.clone(),
        }
    }

    pub fn ring(&self, order: OrderId) {
        if let Some((bell, _)) = self.0.lock().get(&order) {
            bell.notify_waiters();
        }
    }
}

impl Listener {
    /// Resolves at the next ring after this call, also one that comes before it
    /// is awaited. Other processes do not ring, so look again after a while in
    /// any case.
    pub fn rung(&self) -> tokio::sync::futures::Notified<'_> {
        self.bell.notified()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut bells = self.bells.lock();
        if let Some((_, listeners)) = bells.get_mut(&self.order) {
            *listeners -= 1;
            if *listeners == 0 {
                bells.remove(&self.order);
            }
        }
    }
}
