//! The client's side.

use std::{io, path::Path, sync::Arc};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::Service;

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

    /// What makes the connections of a channel to `host`, whose certificate
    /// must be for `name`. It ignores the address that it is asked for.
    ///
    /// # Errors
    /// `Name` when no certificate could be for that name.
    pub fn to(
        &self,
        host: &str,
        port: u16,
        name: &str,
    ) -> Result<
        impl Service<Uri, Response = TokioIo<TlsStream<TcpStream>>, Error = io::Error, Future: Send>
        + Clone
        + Send
        + use<>,
        Error,
    > {
        // As a URL writes IPv6.
        let plain = |host: &str| host.trim_matches(['[', ']']).to_owned();
        let name = plain(name);
        let server = ServerName::try_from(name.clone()).map_err(|_| Error::Name(name))?;
        let (connector, host) = (self.clone(), plain(host));
        Ok(tower::service_fn(move |_: Uri| {
            let (connector, host, server) = (connector.clone(), host.clone(), server.clone());
            async move { connector.connect(&host, port, server).await }
        }))
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
        server: ServerName<'static>,
    ) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let stream = TlsConnector::from(self.config()?)
            .connect(server, stream)
            .await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other("the peer speaks TLS, but not HTTP/2"));
        }
        Ok(TokioIo::new(stream))
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
