//! TLS from files that change while the process runs: certificates are
//! renewed, and nobody restarts a service for that.

mod connector;
mod files;
mod load;
pub(crate) mod names;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

pub use connector::{Connector, Encrypted};
pub use files::Files;

/// The section `tls` of the settings. Without it everything is in the clear.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate of this service in PEM, followed by those between it
    /// and the CA.
    pub certificate: PathBuf,
    /// The private key of the certificate in PEM.
    pub key: PathBuf,
    /// The CA (or several) in PEM that vouches for other services: for those
    /// that call with a certificate of their own, and for those that are
    /// called over `https://`. Without it certificates of clients are not
    /// asked for.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// How often the files are read again.
    #[serde(default = "reload_ms")]
    pub reload_ms: u64,
}

fn reload_ms() -> u64 {
    5000
}

impl Tls {
    /// The defaults, with these files.
    pub fn of(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
        ca: Option<PathBuf>,
    ) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            ca,
            reload_ms: reload_ms(),
        }
    }
}

/// Why TLS cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A file is not there or does not hold what it should.
    #[error("tls.{key}: {path}: {problem}")]
    File {
        key: &'static str,
        path: PathBuf,
        problem: String,
    },
    /// Nobody vouches for the peers.
    #[error("tls.ca: expected a file with the CA of the peers, to call them over https://")]
    NoAuthority,
    /// No certificate can be for such a name.
    #[error("server_name: expected a DNS name or an IP address, got {0:?}")]
    Name(String),
}
