//! Settings as a service reads them: files on disk, variables, real types.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod errors;
mod layers;
mod secrets;

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use settings::{SettingsError, Source};
use tempfile::TempDir;

#[derive(Debug, Deserialize)]
struct Shop {
    database: Database,
    #[serde(default)]
    limits: Limits,
    listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    url: SecretString,
    #[serde(default)]
    max_connections: Option<u16>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    lines: u32,
    ratio: f64,
    strict: bool,
    hosts: Vec<String>,
    ports: Vec<u16>,
    mode: Mode,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Fast,
    Careful,
}

const DATABASE: &str = "[database]\nurl = \"postgres://file\"\n";

/// A directory with one settings file.
struct Files {
    folder: TempDir,
    settings: PathBuf,
}

impl Files {
    fn new(name: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join(name);
        std::fs::write(&settings, text).unwrap();
        Self { folder, settings }
    }

    fn toml(text: &str) -> Self {
        Self::new("shop.toml", text)
    }

    /// Writes another file and returns its name.
    fn add(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Shop, SettingsError> {
        Source::new(Some(&self.settings), "CARTWRIGHT", env.iter().copied()).load()
    }
}

fn from_env<T: serde::de::DeserializeOwned>(env: &[(&str, &str)]) -> Result<T, SettingsError> {
    Source::new(None, "CARTWRIGHT", env.iter().copied()).load()
}
