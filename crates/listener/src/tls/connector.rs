//! The client's side.

use std::{io, path::Path, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Error, Files, load};

/// Connects to peers over TLS, for HTTP/2. Each connection uses what the files
/// hold at that time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connector(Source);

#[derive(Debug, Clone)]
enum Source {
    Files(Files),
    Fixed(Arc<ClientConfig>),
}

impl Connector {
    pub(super) fn of(files: Files) -> Self {
        Self(Source::Files(files))
    }

    /// For a client without a certificate of its own, which believes this CA.
    ///
    /// # Errors
    /// `File` when the file is not there or holds no CA.
    pub fn trusting(ca: &Path) -> Result<Self, Error> {
        Ok(Self(Source::Fixed(load::client_of(ca)?)))
    }

    /// For connections to a peer whose certificate must be for `name`.
    ///
    /// # Errors
    /// `Name` when no certificate could be for that name.
    pub fn to(&self, name: &str) -> Result<Encrypted, Error> {
        // As a URL writes IPv6.
        let name = name.trim_matches(['[', ']']).to_owned();
        let server = ServerName::try_from(name.clone()).map_err(|_| Error::Name(name))?;
        Ok(Encrypted {
            connector: self.clone(),
            server,
        })
    }

    fn config(&self) -> io::Result<Arc<ClientConfig>> {
        match &self.0 {
            Source::Fixed(config) => Ok(config.clone()),
            Source::Files(files) => {
                let client = files.loaded().client.clone();
                client.ok_or_else(|| io::Error::other(Error::NoAuthority))
            }
        }
    }
}

/// Encrypts connections to one peer, which has to prove who it is.
#[derive(Debug, Clone)]
pub struct Encrypted {
    connector: Connector,
    server: ServerName<'static>,
}

impl Encrypted {
    /// # Errors
    /// When the other side is not the peer, or does not speak HTTP/2.
    pub async fn over(
        &self,
        stream: TcpStream,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>> {
        let tls = TlsConnector::from(self.connector.config()?);
        let stream = tls.connect(self.server.clone(), stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other("the peer speaks TLS, but not HTTP/2"));
        }
        Ok(stream)
    }
}
