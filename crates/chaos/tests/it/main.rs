//! On real processes: `cargo build --workspace --bins` comes first.

mod damages;
mod verdict;
