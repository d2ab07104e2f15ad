//! The order service as a process.

use std::process::ExitCode;

use process::Spec;

const SPEC: Spec = Spec {
    name: "order-service",
    version: env!("CARGO_PKG_VERSION"),
    about: "Takes orders and brings each to its end",
};

fn main() -> ExitCode {
    failpoint::arm!();
    process::run(SPEC, order_service::migrate, order_service::serve)
}
