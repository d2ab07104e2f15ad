//! The trace of an order: asked of the trace store, and drawn as a waterfall.

mod draw;
mod scale;
mod store;
mod tree;

pub use draw::{Look, draw};
pub use store::{Question, Store};
