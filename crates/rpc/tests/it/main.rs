//! Calls to peers as they happen: over sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod peers;
