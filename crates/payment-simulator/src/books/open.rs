//! Opening a journal: the file is locked, read from its beginning, and a line
//! that was being written when the process died is cut off.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::entry::{Entry, Header};
use super::journal::{Journal, Place};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is in use by another simulator")]
    InUse { path: PathBuf },
    #[error("{path} line {line}: not a journal entry: {reason}")]
    Unreadable {
        path: PathBuf,
        line: u64,
        reason: String,
    },
}

/// Opens or creates the journal and hands every entry to `replay`, in order.
/// `replay` answers why an entry cannot be.
pub fn journal(
    path: &Path,
    mut replay: impl FnMut(Entry, Place) -> Result<(), String>,
) -> Result<Journal, OpenError> {
    let io_error = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = open_and_lock(path)?;
    let end = read_all(path, &file, &mut replay)?;
    if file.metadata().map_err(io_error)?.len() > end {
        file.set_len(end).map_err(io_error)?;
    }
    let end = match end {
        0 => write_header(&mut file, path).map_err(io_error)?,
        end => end,
    };
    file.sync_all().map_err(io_error)?;
    Journal::start(file, end).map_err(io_error)
}

fn open_and_lock(path: &Path) -> Result<File, OpenError> {
    let io_error = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io_error(source)),
    }
}

fn write_header(file: &mut File, path: &Path) -> io::Result<u64> {
    let mut line = serde_json::to_vec(&Header::current())?;
    line.push(b'\n');
    file.write_all(&line)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(line.len() as u64)
}

/// Answers where the last whole line ends.
fn read_all(
    path: &Path,
    file: &File,
    replay: &mut impl FnMut(Entry, Place) -> Result<(), String>,
) -> Result<u64, OpenError> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut bytes = Vec::new();
    let mut start = 0;
    for line in 1.. {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| OpenError::Io {
                path: path.to_owned(),
                source,
            })?;
        if read == 0 {
            break;
        }
        if bytes.last() != Some(&b'\n') {
            tracing::warn!(
                path = %path.display(),
                line,
                bytes = read,
                "the last line of the journal is torn and was cut off; its call was never answered"
            );
            break;
        }
        accept(&bytes, line, start, replay).map_err(|reason| OpenError::Unreadable {
            path: path.to_owned(),
            line,
            reason,
        })?;
        start += read as u64;
    }
    Ok(start)
}

fn accept(
    bytes: &[u8],
    line: u64,
    start: u64,
    replay: &mut impl FnMut(Entry, Place) -> Result<(), String>,
) -> Result<(), String> {
    if line == 1 {
        let header: Header = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        return match header == Header::current() {
            true => Ok(()),
            false => Err(format!("unknown kind or version: {header:?}")),
        };
    }
    let len = u32::try_from(bytes.len()).map_err(|_| "line of 4 GiB".to_owned())?;
    let entry = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    replay(entry, Place { start, len })
}
