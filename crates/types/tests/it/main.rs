//! What the shared values promise, by example and by property.
#![allow(clippy::unwrap_used, reason = "a failed expectation fails the test")]

mod content;
mod currencies;
mod ids;
mod moneys;
mod texts;
