//! The append-only file under the books.
//!
//! Whoever changes something appends a line while holding the lock of what is
//! changed, then waits without any lock until the line is on the disk. One
//! thread writes: what gathers during one fsync is written with the next, so
//! many callers share one and none waits for a timer.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Where a line is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub start: u64,
    pub len: u32,
}

impl Place {
    /// The journal is durable for this line when it is up to here.
    pub fn end(self) -> u64 {
        self.start + u64::from(self.len)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the journal could not be written; nothing more is accepted")]
pub struct Broken;

pub struct Journal {
    shared: Arc<Shared>,
    reader: File,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
    durable: AtomicU64,
    broken: CancellationToken,
}

struct Pending {
    buffer: Vec<u8>,
    /// The position in the file after everything in `buffer`.
    end: u64,
    waiters: Vec<(u64, oneshot::Sender<()>)>,
    closed: bool,
}

/// A buffer that grew past this in a burst is given back.
const BUFFER_BYTES_KEPT: usize = 1 << 20;

impl Journal {
    /// Takes a file that is open for appending and durable up to `end`.
    pub fn start(file: File, end: u64) -> io::Result<Journal> {
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending {
                buffer: Vec::new(),
                end,
                waiters: Vec::new(),
                closed: false,
            }),
            wake: Condvar::new(),
            durable: AtomicU64::new(end),
            broken: CancellationToken::new(),
        });
        let reader = file.try_clone()?;
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .stack_size(256 * 1024)
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.write_until_closed(file)
            })?;
        Ok(Journal {
            shared,
            reader,
            writer: Some(writer),
        })
    }

    /// Queues one line, without its newline. Lines of one caller keep their order.
    pub fn append(&self, line: &[u8]) -> Result<Place, Broken> {
        let len = u32::try_from(line.len() + 1).map_err(|_| Broken)?;
        let mut pending = self.shared.pending.lock();
        if self.shared.broken.is_cancelled() {
            return Err(Broken);
        }
        let start = pending.end;
        pending.buffer.extend_from_slice(line);
        pending.buffer.push(b'\n');
        pending.end += u64::from(len);
        self.shared.wake.notify_one();
        Ok(Place { start, len })
    }

    /// Returns when the file is on the disk up to `end`.
    pub async fn durable(&self, end: u64) -> Result<(), Broken> {
        let waiter = {
            let mut pending = self.shared.pending.lock();
            if self.shared.durable.load(Ordering::Acquire) >= end {
                return Ok(());
            }
            if self.shared.broken.is_cancelled() {
                return Err(Broken);
            }
            let (sender, waiter) = oneshot::channel();
            pending.waiters.push((end, sender));
            waiter
        };
        waiter.await.map_err(|_| Broken)
    }

    /// Reads a line that is durable.
    pub fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut line = vec![0; place.len as usize];
        self.reader.read_exact_at(&mut line, place.start)?;
        line.pop();
        Ok(line)
    }

    /// Cancelled when the file can no longer be written.
    pub fn broken(&self) -> CancellationToken {
        self.shared.broken.clone()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.pending.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn write_until_closed(&self, mut file: File) {
        let mut batch = Vec::new();
        while let Some(end) = self.next_batch(&mut batch) {
            let written = file.write_all(&batch).and_then(|()| file.sync_data());
            if let Err(error) = written {
                tracing::error!(%error, "the journal cannot be written, the simulator stops");
                let mut pending = self.pending.lock();
                self.broken.cancel();
                pending.waiters.clear();
                return;
            }
            self.announce(end);
        }
    }

    /// Waits for lines and takes all there are; `None` when closed and empty.
    fn next_batch(&self, batch: &mut Vec<u8>) -> Option<u64> {
        batch.clear();
        batch.shrink_to(BUFFER_BYTES_KEPT);
        let mut pending = self.pending.lock();
        while pending.buffer.is_empty() {
            if pending.closed {
                return None;
            }
            self.wake.wait(&mut pending);
        }
        std::mem::swap(&mut pending.buffer, batch);
        Some(pending.end)
    }

    fn announce(&self, end: u64) {
        let mut pending = self.pending.lock();
        self.durable.store(end, Ordering::Release);
        let mut index = 0;
        while index < pending.waiters.len() {
            if pending.waiters[index].0 <= end {
                // A caller that went away does not mind.
                let _ = pending.waiters.swap_remove(index).1.send(());
            } else {
                index += 1;
            }
        }
    }
}
