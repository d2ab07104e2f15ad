//! Carries bytes between two connections.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::conditions::{Conditions, Way};

/// Pieces on their way, in one direction: what a network may hold.
const PIECES: usize = 64;
const PIECE: usize = 16 * 1024;
/// How often a slow line brings something.
const SLOW_STEP: Duration = Duration::from_millis(50);

struct Piece {
    due: Instant,
    bytes: Vec<u8>,
}

/// Until both ends are closed, one of them breaks, or a reset.
pub(super) async fn carry(
    mut client: TcpStream,
    mut target: TcpStream,
    conditions: watch::Receiver<Conditions>,
    mut resets: watch::Receiver<u64>,
) {
    client.set_nodelay(true).ok();
    target.set_nodelay(true).ok();
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_target, to_target) = target.split();
        let there = pump(from_client, to_target, conditions.clone(), Way::There);
        let back = pump(from_target, to_client, conditions, Way::Back);
        tokio::select! {
            carried = async { tokio::try_join!(there, back) } => carried.is_err(),
            _ = resets.changed() => true,
        }
    };
    if broken {
        cut(&client);
        cut(&target);
    }
}

/// When it is dropped its peer sees a reset.
pub(super) fn cut(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut conditions: watch::Receiver<Conditions>,
    way: Way,
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<Piece>(PIECES);
    let seen = conditions.clone();
    let mut healed = conditions.clone();
    let read = async move {
        let mut buffer = vec![0; PIECE];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let due = Instant::now() + seen.borrow().delay();
            let bytes = buffer[..read].to_vec();
            if sender.send(Piece { due, bytes }).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some(piece) = receiver.recv().await {
            tokio::time::sleep_until(piece.due).await;
            deliver(&mut to, &piece.bytes, &mut conditions, way).await?;
        }
        arrives(&mut conditions, way).await;
        to.shutdown().await
    };
    let carried = tokio::try_join!(read, write);
    if carried.is_err() {
        // Nor does the news of a broken connection pass through a hole.
        healed.wait_for(|now| !now.holds_any()).await.ok();
    }
    carried.map(|_| ())
}

async fn deliver(
    to: &mut WriteHalf<'_>,
    bytes: &[u8],
    conditions: &mut watch::Receiver<Conditions>,
    way: Way,
) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        arrives(conditions, way).await;
        let rate = conditions.borrow().bytes_per_second;
        let Some(rate) = rate else {
            return to.write_all(rest).await;
        };
        let step = usize::try_from(rate).unwrap_or(usize::MAX) / 20;
        let (now, later) = rest.split_at(step.clamp(1, rest.len()));
        tokio::time::sleep(SLOW_STEP).await;
        to.write_all(now).await?;
        rest = later;
    }
    Ok(())
}

/// Returns when this way is open. A proxy that ends cuts all, so then never.
async fn arrives(conditions: &mut watch::Receiver<Conditions>, way: Way) {
    let open = conditions.wait_for(|now| !now.holds(way)).await.is_ok();
    if !open {
        std::future::pending::<()>().await;
    }
}
