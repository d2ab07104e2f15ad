//! The contract as Rust: messages, clients and servers generated from
//! `proto/`, and the conversions of the types that all services share.
//!
//! `gen/` is written by `cargo run -p api --example generate` and checked in.
//! Conversions of a service's own types live in that service.

pub mod contract;
mod convert;
pub mod message;

pub use convert::{from_timestamp, to_timestamp};

/// The descriptors of all services, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.bin");

/// Messages that more than one service uses.
pub mod common {
    #[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated")]
    pub mod v1 {
        include!("gen/cartwright.common.v1.rs");
    }
}

/// Stock.
pub mod inventory {
    #[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated")]
    pub mod v1 {
        include!("gen/cartwright.inventory.v1.rs");
    }
}

/// Orders.
pub mod order {
    #[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated")]
    pub mod v1 {
        include!("gen/cartwright.order.v1.rs");
    }
}

/// Money.
pub mod payment {
    #[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated")]
    pub mod v1 {
        include!("gen/cartwright.payment.v1.rs");
    }
}
