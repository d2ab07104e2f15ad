//! The listener as clients, slow ones and hostile ones meet it: over sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod abuse;
mod authority;
mod clients;
mod ending;
mod exhaustion;
mod limits;
mod peers;
mod rotation;
mod served;
mod slow;
mod talking;
