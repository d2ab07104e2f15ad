//! Load on a shop: when calls are made, how long they take, and what each was
//! told. For benches and for the tests that break things while a shop works.
//!
//! Not in here: what is asked for, and what is made of the answers.

mod answer;
mod latency;
mod pace;
mod shop;

pub use answer::{Answered, Asking, Outcome, Patience, ask};
pub use latency::{Latencies, Latency};
pub use pace::{Arrival, ClosedLoop, Offered, OpenLoop};
pub use shop::{Endpoints, Shop};
