//! Typed settings: a TOML or YAML file, overridden by the environment, with
//! secrets from files.
//!
//! `CARTWRIGHT__DATABASE__URL` overrides `database.url`: two underscores
//! between levels. Where a struct has a field `url`, the key `url_file` names
//! a file that holds its value, so that a secret never stands in a settings
//! file. A value from the environment or from a secret file is text and is
//! parsed by the type of the field: numbers, booleans, and lists separated by
//! commas.
//!
//! The keys are those of the structs: an unknown key is an error that lists
//! the known ones, a missing key is named with the variable that would set it,
//! also inside a section that is missing as a whole. `#[serde(flatten)]`,
//! untagged and internally tagged enums hide their keys and types from this
//! crate; give shared settings a section of their own, or use [`load_pair`].

mod de;
mod error;
mod fields;
mod reference;
mod source;
mod tree;
mod values;

use std::path::Path;

use serde::de::DeserializeOwned;

pub use error::SettingsError;
pub use reference::{Key, Need, file_schema, keys, schema, sort};
pub use source::Source;
pub use values::{Change, Values};

/// Reads `file`, then the variables of this process that begin with
/// `env_prefix` and two underscores.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    env_prefix: &str,
) -> Result<T, SettingsError> {
    Source::of_process(file, env_prefix).load()
}

/// Like [`load`], for settings that two structs share at the top level: each
/// key must belong to one of them. The values are for comparing with a later
/// reading.
pub fn load_pair<A: DeserializeOwned, B: DeserializeOwned>(
    file: Option<&Path>,
    env_prefix: &str,
) -> Result<(A, B, Values), SettingsError> {
    Source::of_process(file, env_prefix).load_pair()
}
