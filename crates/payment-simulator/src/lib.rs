//! A payment provider for laptops and tests: the part of Stripe's API that a
//! shop needs, with durable books of its own and faults on demand.
//!
//! The same client code talks to this process on a laptop and to Stripe in
//! production, and an audit can compare these books with the shop's. There is
//! no card data here: payment methods are named tokens, and anything that
//! looks like a card number is refused before it is stored or logged.
//!
//! - [`books`]: intents, refunds, idempotency keys, and the journal under them.
//! - [`app`]: what a caller can ask for, one file each.
//! - [`wire`]: Stripe's JSON shapes.
//! - [`http`], [`webhooks`]: in and out.

pub mod app;
pub mod books;
pub mod faults;
pub mod http;
mod ids;
pub mod methods;
pub mod settings;
mod simulator;
pub mod webhooks;
pub mod wire;

pub use settings::Settings;
pub use simulator::{Simulator, StartError};
