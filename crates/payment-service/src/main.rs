//! The process `payment-service`.

use std::process::ExitCode;

use process::Spec;

fn main() -> ExitCode {
    failpoint::arm!();
    let spec = Spec {
        name: "payment-service",
        version: env!("CARGO_PKG_VERSION"),
        about: "Moves money for orders through a payment provider",
    };
    process::run(spec, payment_service::migrate, payment_service::serve)
}
