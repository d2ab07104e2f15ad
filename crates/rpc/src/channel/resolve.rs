//! Names to addresses, again and again.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use super::place::{Place, Resolved};

/// How long one name may take.
const TIMEOUT: Duration = Duration::from_secs(2);

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Where names are looked up, and how often.
#[derive(Clone)]
pub(crate) struct Names {
    look: Arc<dyn Fn(String, u16) -> Looking + Send + Sync>,
    pub(super) interval: Duration,
}

impl Names {
    /// By the system, as every other program on the machine does.
    pub(crate) fn of_system() -> Self {
        Self::by(Duration::from_secs(5), |host, port| async move {
            Ok(tokio::net::lookup_host((host, port)).await?.collect())
        })
    }

    pub(crate) fn by<F, Fut>(interval: Duration, look: F) -> Self
    where
        F: Fn(String, u16) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        Self {
            look: Arc::new(move |host, port| Box::pin(look(host, port))),
            interval,
        }
    }

    async fn look(&self, place: &Place) -> io::Result<Vec<SocketAddr>> {
        let looking = (self.look)(place.host.clone(), place.port);
        match tokio::time::timeout(TIMEOUT, looking).await {
            Ok(Ok(found)) if found.is_empty() => Err(io::Error::other("the name has no address")),
            Ok(found) => found,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
}

/// A place with its last good answer.
#[derive(Debug)]
pub(super) struct Known {
    place: Arc<Place>,
    addresses: Vec<SocketAddr>,
}

impl Known {
    pub(super) fn nothing_of(place: Place) -> Self {
        Self {
            place: Arc::new(place),
            addresses: Vec::new(),
        }
    }

    /// An address needs no looking up.
    pub(super) fn is_fixed(&self) -> bool {
        self.place.host.parse::<std::net::IpAddr>().is_ok()
    }

    /// What could not be looked up stays as it was.
    pub(super) async fn refresh(&mut self, names: &Names) -> io::Result<()> {
        self.addresses = names.look(&self.place).await?;
        Ok(())
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = Resolved> {
        let addresses = self.addresses.iter();
        addresses.map(|address| (*address, self.place.clone()))
    }
}
