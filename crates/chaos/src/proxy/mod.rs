//! A TCP proxy that can be a bad network: late, one-way, slow, refusing, or
//! cutting what is connected. What it does may change at any time.

mod carry;
mod conditions;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

pub use self::conditions::Conditions;

use self::carry::carry;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Ends, with all that goes through it, when dropped.
pub struct Proxy {
    address: SocketAddr,
    conditions: watch::Sender<Conditions>,
    resets: watch::Sender<u64>,
    task: AbortHandle,
}

impl Proxy {
    /// On a port of its own. Connections go to the targets in turn; one that
    /// refuses is passed over.
    pub async fn start(targets: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = listen((Ipv4Addr::LOCALHOST, testkit::free_port()).into())?;
        let address = listener.local_addr()?;
        let (conditions, conditions_seen) = watch::channel(Conditions::default());
        let (resets, resets_seen) = watch::channel(0);
        let server = Server {
            targets: targets.into(),
            conditions: conditions_seen,
            resets: resets_seen,
        };
        let task = tokio::spawn(server.serve(listener, address)).abort_handle();
        Ok(Self {
            address,
            conditions,
            resets,
            task,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds for what is connected already, too.
    pub fn set(&self, conditions: Conditions) {
        self.conditions.send_replace(conditions);
    }

    /// What was held back now arrives.
    pub fn heal(&self) {
        self.set(Conditions::default());
    }

    /// Cuts all that is connected now, at both ends.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[derive(Clone)]
struct Server {
    targets: Arc<[SocketAddr]>,
    conditions: watch::Receiver<Conditions>,
    resets: watch::Receiver<u64>,
}

impl Server {
    async fn serve(mut self, mut listener: TcpListener, address: SocketAddr) {
        let mut carried = JoinSet::new();
        let mut turn = 0;
        loop {
            let refuses = self.conditions.borrow_and_update().refuse;
            if refuses {
                drop(listener);
                let healed = self.conditions.wait_for(|now| !now.refuse).await.is_ok();
                listener = match healed {
                    true => listen_again(address).await,
                    false => return,
                };
                continue;
            }
            tokio::select! {
                accepted = listener.accept() => if let Ok((client, _)) = accepted {
                    carried.spawn(self.clone().pass(client, turn));
                    turn += 1;
                },
                changed = self.conditions.changed() => if changed.is_err() {
                    return;
                },
                Some(_) = carried.join_next() => {}
            }
        }
    }

    async fn pass(self, client: TcpStream, turn: usize) {
        let mut resets = self.resets.clone();
        resets.mark_unchanged();
        // What is sent into a hole does not connect either.
        let mut conditions = self.conditions.clone();
        if conditions.wait_for(|now| !now.holds_any()).await.is_err() {
            return;
        }
        match self.connect(turn).await {
            Some(target) => carry(client, target, conditions, resets).await,
            None => carry::cut(&client),
        }
    }

    async fn connect(&self, turn: usize) -> Option<TcpStream> {
        let targets = self.targets.iter().cycle().skip(turn % self.targets.len());
        for target in targets.take(self.targets.len()) {
            if let Ok(stream) = TcpStream::connect(target).await {
                return Some(stream);
            }
        }
        None
    }
}

/// The port was ours a moment ago; what still lingers there goes soon.
async fn listen_again(address: SocketAddr) -> TcpListener {
    loop {
        match listen(address) {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
