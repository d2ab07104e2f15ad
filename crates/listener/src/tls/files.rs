//! The files of a process, read again and again.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;

use super::{
    Connector, Error, Tls,
    load::{Contents, Loaded},
};

/// What the files of the section `tls` hold now; the last good, while they
/// hold something broken. Cheap to clone, shared by all listeners and clients.
#[derive(Debug, Clone)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Tls,
    loaded: ArcSwap<Loaded>,
}

impl Files {
    /// Reads the files, and from then on again every `reload_ms`, until the
    /// last clone is gone. The contents are compared, not the times: a secret
    /// on Kubernetes is a link that is swapped.
    ///
    /// # Errors
    /// `File`, naming the key, the file and what is wrong with it.
    pub fn start(settings: &Tls) -> Result<Self, Error> {
        let loaded = Contents::read(settings)?.load(settings)?;
        let inner = Arc::new(Inner {
            settings: settings.clone(),
            loaded: ArcSwap::from_pointee(loaded),
        });
        tokio::spawn(reload(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Calls peers with the certificate of this process.
    ///
    /// # Errors
    /// `NoAuthority` when no CA is set that could vouch for them.
    pub fn connector(&self) -> Result<Connector, Error> {
        match self.loaded().client {
            Some(_) => Ok(Connector::of(self.clone())),
            None => Err(Error::NoAuthority),
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.loaded().server.clone())
    }

    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.0.loaded.load_full()
    }
}

/// How far a problem with the files was followed.
#[derive(Debug, PartialEq)]
enum Trouble {
    /// Seen once. Certificate and key are not always replaced in one step, so
    /// it may be gone the next time.
    Seen(Error),
    Told(Error),
}

async fn reload(files: Weak<Inner>) {
    let mut trouble = None;
    loop {
        let Some(interval) = files.upgrade().map(|files| files.settings.reload_ms) else {
            return;
        };
        tokio::time::sleep(Duration::from_millis(interval.max(1))).await;
        let Some(inner) = files.upgrade() else {
            return;
        };
        let looked = tokio::task::spawn_blocking(move || look(&inner)).await;
        trouble = match looked {
            Ok(Err(error)) => Some(follow(trouble, error)),
            Ok(Ok(())) | Err(_) => None,
        };
    }
}

fn look(files: &Inner) -> Result<(), Error> {
    let contents = Contents::read(&files.settings)?;
    if contents.digest() == files.loaded.load().digest {
        return Ok(());
    }
    files
        .loaded
        .store(Arc::new(contents.load(&files.settings)?));
    let certificate = files.settings.certificate.display();
    tracing::info!(%certificate, "the TLS files have changed and are in use");
    Ok(())
}

fn follow(before: Option<Trouble>, error: Error) -> Trouble {
    match before {
        Some(Trouble::Told(told)) if told == error => Trouble::Told(error),
        Some(Trouble::Seen(seen)) if seen == error => {
            tracing::warn!(%error, "the TLS files have changed and are broken; the old ones stay in use");
            Trouble::Told(error)
        }
        _ => Trouble::Seen(error),
    }
}
