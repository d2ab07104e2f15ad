//! Who is on the other end of a connection.

use std::{net::SocketAddr, sync::Arc};

/// In the extensions of every request.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Of the socket: a proxy's, when one is in front.
    pub address: SocketAddr,
    /// DNS names (in lower case) and URIs of the client's certificate, when it
    /// showed one that the CA vouches for; empty otherwise.
    pub names: Arc<[String]>,
}

impl Peer {
    pub(crate) fn anonymous(address: SocketAddr) -> Self {
        let names = Arc::default();
        Self { address, names }
    }

    /// Whether the client has proved to be `name`.
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}
