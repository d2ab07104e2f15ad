//! Stripe's JSON shapes. Fields that nothing here can fill are there as `null`,
//! as Stripe sends them.

mod charge;
mod event;
mod intent;
mod list;
mod problem;
mod refund;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub use charge::Charge;
pub use event::{Event, event};
pub use intent::PaymentIntent;
pub use list::List;
pub use problem::Problem;
pub use refund::RefundView;

/// Stripe's `null`.
type Null = ();

/// The one place where a shape becomes JSON text.
pub fn render<T: Serialize>(shape: &T) -> Result<Box<RawValue>, serde_json::Error> {
    to_raw_value(shape)
}
