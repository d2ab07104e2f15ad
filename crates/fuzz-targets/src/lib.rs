//! Every decoder of the shop, and what must be true of it for any bytes at
//! all: it never panics, what it accepts it can say again, what it refuses it
//! names.
//!
//! A target is a plain function, so that `cargo test` can run it over the
//! corpus that is checked in (`fuzz/corpus`), on any toolchain. The workspace
//! in `fuzz/` gives the same functions to libFuzzer: see `make fuzz`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold is a panic: so a fuzzer is told"
)]

mod callers;
mod errors;
mod events;
mod fields;
mod paging;
mod provider;
mod requests;
mod rest_requests;
mod setting;
mod sheets;
mod simulator;
mod text;
mod traces;
mod values;

/// Panics when a property does not hold.
pub type Target = fn(&[u8]);

/// The name of each is that of its corpus and of its program in `fuzz/`.
pub const TARGETS: [(&str, Target); 21] = [
    ("catalogue_csv", sheets::catalogue),
    ("client_address", callers::client_address),
    ("command_line", text::command_line),
    ("event_entry", events::entry),
    ("event_payload", events::payload),
    ("fields", fields::fields),
    ("grpc_timeout", callers::grpc_timeout),
    ("inventory_request", requests::inventory),
    ("key_set", callers::key_set),
    ("order_request", requests::order),
    ("page_token", paging::page_token),
    ("payment_request", requests::payment),
    ("peer_error", errors::peer_error),
    ("provider_answer", provider::answer),
    ("rest_request", rest_requests::rest_request),
    ("sales_csv", sheets::sales),
    ("settings", setting::settings),
    ("simulator_form", simulator::form),
    ("token", callers::token),
    ("trace_context", traces::trace_context),
    ("values", values::values),
];

/// Runs one target over one input.
///
/// # Panics
/// When there is no such target, or a property does not hold.
pub fn run(name: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.expect("a target of this name");
    target(input);
}
