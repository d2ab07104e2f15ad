//! What all processes of the shop have in common outside of their work: the
//! command line, the order of start and stop, signals and exit codes.
//!
//! A service's `main` is one call of [`run`] with a function that migrates and
//! a function that serves; `examples/small_service.rs` is a whole one. There
//! is no trait to implement and no state behind the scenes: what the serving
//! function needs, it finds in the [`Process`] that it is given.

mod commands;
mod exit;
mod healthcheck;
mod lifecycle;
mod private;
pub mod reference;
mod reload;
mod running;
mod settings;
mod signals;
mod vitals;

pub use commands::{Spec, run, run_from};
pub use exit::{FAILURE, USAGE};
pub use reload::Reloads;
pub use running::Process;
pub use settings::{Deployment, Drain, Settings};

use commands::ENV_PREFIX;

/// What the functions of a service may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
