//! The process: reads settings, migrates or serves.

use std::process::ExitCode;

use process::Spec;

fn main() -> ExitCode {
    failpoint::arm!();
    let spec = Spec {
        name: "inventory-service",
        version: env!("CARGO_PKG_VERSION"),
        about: "Knows what there is, where it is, and to whom it is promised",
    };
    process::run(spec, inventory_service::migrate, inventory_service::serve)
}
