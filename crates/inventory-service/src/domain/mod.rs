//! The rules of stock: what may be promised, taken, given back and broken.
//!
//! Pure: no I/O, no clock, no SQL, no proto. A [`Stockroom`] holds the part of
//! the stock that one slice of calls touches; each verb is a function on it
//! that either changes it as a whole or refuses and changes nothing.

mod adjust;
mod allocate;
mod changes;
mod expire;
mod extend;
mod fulfill;
mod item;
mod level;
mod movement;
mod refusal;
mod release;
mod reservation;
mod reserve;
mod return_to_stock;
mod stockroom;
mod transfer;

pub use adjust::{Adjusted, Adjustment, Target};
pub use allocate::{Strategy, allocate};
pub use changes::{Applied, AppliedKind, Changes, Event, EventKind, LinesTouched, Touched};
pub use fulfill::Shipment;
pub use item::{Item, Location, MAIN_LOCATION};
pub use level::{Level, Spot};
pub use movement::{Cause, Movement, MovementKind};
pub use refusal::{Amiss, Refusal};
pub use reservation::{Line, Reservation, State, StateName};
pub use reserve::{Demand, Wish};
pub use return_to_stock::GoodsBack;
pub use stockroom::Stockroom;
pub use transfer::{Transfer, Transferred};
