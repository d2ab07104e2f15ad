//! Writes `openapi.json` from the protos: `cargo run -p rest --example openapi`.
//!
//! What is said there comes from one source: the messages, their comments, the
//! HTTP rules and the rules of fields. It is checked in, so that a change of
//! the contract shows in review, and embedded in the services.

mod answers;
mod comments;
mod document;
mod examples;
mod links;
mod names;
mod operation;
mod parameters;
mod range;
mod rules;
mod schema;
mod source;

use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let rest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pool = source::descriptors(&rest.join("../../proto").canonicalize()?)?;
    let mut text = serde_json::to_string_pretty(&document::of(&pool)?)?;
    text.push('\n');
    std::fs::write(rest.join("openapi.json"), text)?;
    Ok(())
}
