//! Bytes that are named by their digest.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use core_types::Digest;
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
    #[error("{size} bytes are too many; the most is {most}")]
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
        /// What the system said.
        source: io::Error,
    },
}

/// Returns the digest of some bytes, as a registry names them.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(bytes).into())
}

/// Makes sure that bytes are what a digest says.
pub(crate) fn check(bytes: &[u8], expected: &Digest) -> Result<(), BlobError> {
    let found = digest_of(bytes);
    if found == *expected { Ok(()) } else { Err(BlobError::Digest { expected: *expected, found }) }
}

/// Reads a blob whole and makes sure that its bytes are what its name says. What is returned is
/// what was checked.
///
/// # Errors
/// When it is missing, damaged or larger than `most` bytes.
pub fn read_blob(path: &Path, digest: &Digest, most: u64) -> Result<Vec<u8>, BlobError> {
    let io_error = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => BlobError::Missing { digest: *digest },
        _ => BlobError::Io { path: path.to_owned(), source },
    };
    let (file, metadata) = open_plain(path).map_err(io_error)?;
    let size = metadata.len();
    if size > most {
        return Err(BlobError::TooLarge { size, most });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(most).read_to_end(&mut bytes).map_err(io_error)?;
    check(&bytes, digest)?;
    Ok(bytes)
}

/// Opens a plain file for reading, and says what it is. A pipe or device in its place does not make
/// us wait.
pub(crate) fn open_plain(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    ensure_plain(&metadata)?;
    Ok((file, metadata))
}

/// Makes sure that something is a plain file.
pub(crate) fn ensure_plain(metadata: &Metadata) -> io::Result<()> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file");
    if metadata.is_file() { Ok(()) } else { Err(wrong()) }
}

/// Reads a plain file whole, if it has at most so many bytes. A pipe or device in its place does
/// not make us wait.
///
/// # Errors
/// When it cannot be read, is no plain file or is larger.
pub fn read_plain(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_whole(open_plain(path)?, most)
}

/// Reads what was opened whole, if it has at most so many bytes, whatever it had when it was
/// opened.
pub(crate) fn read_whole((file, metadata): (File, Metadata), most: u64) -> io::Result<Vec<u8>> {
    let refused =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes"));
    if metadata.len() > most {
        return Err(refused());
    }
    // With room for all of it, it is read at once: a list reads a thousand of these.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(refused()) } else { Ok(bytes) }
}

/// The same as text.
///
/// # Errors
/// As [`read_plain`], and when it is not UTF-8.
#[cfg(feature = "registry")]
pub(crate) fn read_plain_text(path: &Path, most: u64) -> io::Result<String> {
    read_plain(path, most).and_then(as_text)
}

/// Bytes as text.
pub(crate) fn as_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
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

    /// Makes the blob durable if it is what it should be.
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
