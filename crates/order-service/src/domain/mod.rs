//! Orders and their saga as plain values and pure functions. No I/O, no clock,
//! no wire format and no SQL is in here.

mod backward;
mod case;
mod command;
mod event;
mod forward;
mod labour;
mod order;
mod reach;
mod reconcile;
mod refusal;
mod saga;
mod state;
mod work;

pub use case::{Case, Change, Closed, Then};
pub use command::Resolution;
pub use event::{Event, Kind, NewEvent};
pub use order::{CaptureMethod, Line, NewLine, NewOrder, Order, PaymentState, Saga};
pub use reach::Reach;
pub use reconcile::{Compared, PaymentBook};
pub use refusal::{Refusal, Violation};
pub use saga::{Answer, Effect, Hold, Progress, Step, Task, next_step};
pub use state::{State, StateReason, Target};
pub use work::{NewWork, Work, WorkKind, WorkState};
