//! Bytes that are named by their digest.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use core_types::Digest;
use private_files::{open_regular, read_opened};
use sha2::{Digest as _, Sha256};

/// Why a blob cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is not there.
    #[error("the blob {digest} is missing")]
    Missing {
        /// Its digest.
        digest: Digest,
    },
    /// The bytes are others than the name says.
    #[error("wrong bytes: expected {expected}, got {found}")]
    Digest {
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// There are more or fewer bytes than announced.
    #[error("wrong size: {expected} bytes were announced, {found} came")]
    Size {
        /// The announced size.
        expected: u64,
        /// The bytes that came, at least.
        found: u64,
    },
    /// There are more bytes than sesame takes.
    #[error("{size} bytes are too many; the limit is {most}")]
    TooLarge {
        /// The size.
        size: u64,
        /// The most that is taken.
        most: u64,
    },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Returns the digest of some bytes, as a registry names them.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(bytes).into())
}

/// Checks bytes against a digest.
pub(crate) fn check(bytes: &[u8], expected: &Digest) -> Result<(), BlobError> {
    let found = digest_of(bytes);
    if found == *expected { Ok(()) } else { Err(BlobError::Digest { expected: *expected, found }) }
}

/// Reads a blob whole and checks its digest. The returned bytes are those that were checked.
///
/// # Errors
/// When it is missing, damaged or larger than `most` bytes.
pub fn read_blob(path: &Path, digest: &Digest, most: u64) -> Result<Vec<u8>, BlobError> {
    let io_error = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => BlobError::Missing { digest: *digest },
        _ => BlobError::Io { path: path.to_owned(), source },
    };
    let opened = open_regular(path).map_err(io_error)?;
    // A file that grows while it is read has more than it had.
    let size = opened.1.len().max(most.saturating_add(1));
    let bytes = read_opened(opened, most).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => BlobError::TooLarge { size, most },
        _ => io_error(error),
    })?;
    check(&bytes, digest)?;
    Ok(bytes)
}

/// A blob that is being written: counted and hashed as it arrives, and never longer than announced.
pub(crate) struct BlobWriter {
    file: File,
    path: PathBuf,
    hash: Sha256,
    written: u64,
    size: u64,
}

impl BlobWriter {
    /// Starts a new file for a blob of this size.
    pub(crate) fn create(path: &Path, size: u64) -> Result<Self, BlobError> {
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.map_err(|source| BlobError::Io { path: path.to_owned(), source })?;
        Ok(Self { file, path: path.to_owned(), hash: Sha256::new(), written: 0, size })
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let written = self.written.saturating_add(bytes.len() as u64);
        if written > self.size {
            return Err(BlobError::Size { expected: self.size, found: written });
        }
        self.hash.update(bytes);
        self.written = written;
        self.file
            .write_all(bytes)
            .map_err(|source| BlobError::Io { path: self.path.clone(), source })
    }

    /// Makes the blob durable if its size and digest are right.
    pub(crate) fn finish(self, digest: &Digest) -> Result<(), BlobError> {
        if self.written < self.size {
            return Err(BlobError::Size { expected: self.size, found: self.written });
        }
        let found = Digest::from_sha256(self.hash.finalize().into());
        if found != *digest {
            return Err(BlobError::Digest { expected: *digest, found });
        }
        self.file.sync_all().map_err(|source| BlobError::Io { path: self.path, source })
    }
}
