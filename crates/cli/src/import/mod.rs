//! A catalogue with its stock from a CSV file: everything is checked before
//! anything is sent, and sending the same file twice changes nothing.

pub mod parse;
pub mod send;

pub use parse::{Catalogue, parse};
