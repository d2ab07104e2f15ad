//! The key and its JWKS as files: whole or not there, and never overwritten.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Key;

/// Why a key cannot be made, written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the system gives no randomness")]
    Randomness,
    #[error("{path}: {error}")]
    File { path: String, error: io::Error },
    #[error("{path}: not an Ed25519 key in PEM (PKCS #8)")]
    NotAKey { path: String },
}

impl Error {
    fn file(path: &Path, error: io::Error) -> Self {
        let path = path.display().to_string();
        Self::File { path, error }
    }
}

impl Key {
    /// # Errors
    /// When the file cannot be read or holds no such key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let pem = fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        Self::of_pem(&pem).ok_or_else(|| Error::NotAKey {
            path: path.display().to_string(),
        })
    }

    /// The key of the file, which only its owner may read, made if it is not
    /// there. Of two that make it at once, both get the same.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no such key.
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        match Self::load(path) {
            Err(Error::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            answer => return answer,
        }
        create(path, &Self::generate()?.to_pem()?)?;
        Self::load(path)
    }

    /// Writes the JWKS if it is not there; returns whether it was.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self, path: &Path) -> Result<bool, Error> {
        let created = create(path, &self.jwks())?;
        if created {
            make_public(path).map_err(|error| Error::file(path, error))?;
        }
        Ok(created)
    }
}

/// Writes a file that only its owner may read, whole or not at all; an old one
/// is replaced.
///
/// # Errors
/// When the directory or the file cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let file = beside(path, text)?;
    let stored = file.persist(path);
    stored
        .map(drop)
        .map_err(|error| Error::file(path, error.error))
}

/// Returns whether it was created; false when something is there already.
fn create(path: &Path, text: &str) -> Result<bool, Error> {
    let file = beside(path, text)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::file(path, error.error)),
    }
}

/// A new file in the same directory, so that a rename puts it in place.
fn beside(path: &Path, text: &str) -> Result<NamedTempFile, Error> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let write = || {
        fs::create_dir_all(&directory)?;
        let mut file = NamedTempFile::new_in(&directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error| Error::file(path, error))
}

#[cfg(unix)]
fn make_public(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_public(_: &Path) -> io::Result<()> {
    Ok(())
}
