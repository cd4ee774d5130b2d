//! Staged artifacts, which are not installed yet.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::{Digest, OciReference};
use private_files::{HeldLock, Sharing, acquire, create_durable_directory, names_in};
use tempfile::TempDir;

use crate::archives::unpack::UnpackError;
use crate::files::lock::LOCK_TIMEOUT;
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::oci::blob::{BlobError, BlobWriter, digest_of, read_blob};
use crate::oci::descriptor::{Descriptor, MAX_BLOB};

/// A directory for the blobs of one artifact, on the file system on which they will stay. It goes
/// with the value; after a crash the next change of the depot removes it.
pub(crate) struct Staging {
    directory: TempDir,
    /// Held for as long as the directory is in use.
    _lock: HeldLock,
}

/// An artifact whose bytes are all there and verified. It can be looked at and compiled, and given
/// to [`crate::LockedDepot::install`].
pub struct Staged {
    pub(crate) staging: Staging,
    /// The artifact.
    pub artifact: Artifact,
    /// The WebAssembly binary. Its bytes were verified, or unpacked from verified ones, as they
    /// were written.
    pub(crate) binary: Binary,
    /// The reference, pinned to the digest.
    pub reference: OciReference,
}

/// Why an artifact cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The system refuses.
    #[error("cannot keep the download in `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The bytes have another digest.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

const LOCK: &str = ".lock";

impl Staging {
    /// Makes a new directory below `parent`.
    pub(crate) fn new(parent: &Path) -> Result<Self, StagingError> {
        let make = || -> io::Result<Self> {
            create_durable_directory(parent)?;
            // Until the lock is there, this one keeps a sweep away.
            let being_made = File::open(parent)?;
            let _being_made = acquire(being_made, Sharing::Shared, LOCK_TIMEOUT)?;
            let directory = tempfile::Builder::new().prefix("new-").tempdir_in(parent)?;
            let path = directory.path().join(LOCK);
            let held = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let held = acquire(held, Sharing::Exclusive, Duration::ZERO)?;
            Ok(Self { directory, _lock: held })
        };
        make().map_err(|source| StagingError::Io { path: parent.to_owned(), source })
    }

    /// Returns where a blob lies or will lie.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.directory.path().join(digest.hex())
    }

    /// Returns where something lies that is not a blob yet.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a blob that arrives piece by piece.
    pub(crate) fn writer(&self, descriptor: &Descriptor) -> Result<BlobWriter, BlobError> {
        BlobWriter::create(&self.blob(&descriptor.digest), descriptor.size)
    }

    /// Stores a whole blob. The writer compares its digest.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), BlobError> {
        let mut writer = BlobWriter::create(&self.blob(digest), bytes.len() as u64)?;
        writer.write(bytes)?;
        writer.finish(digest)
    }

    /// Stores bytes and returns their digest.
    pub(crate) fn put_new(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = digest_of(bytes);
        self.put(&digest, bytes).map(|()| digest)
    }
}

impl Staged {
    /// Returns its WebAssembly binary.
    pub fn binary(&self) -> &Binary {
        &self.binary
    }

    /// Creates an artifact whose blobs are all in `staging`, with its binary, which is unpacked if
    /// need be.
    pub(crate) fn new(
        staging: Staging,
        artifact: Artifact,
        reference: OciReference,
    ) -> Result<Self, UnpackError> {
        let binary = staging.binary(&artifact)?;
        Ok(Self { staging, artifact, binary, reference })
    }

    /// Returns every blob that is kept: those of the artifact, and the binary.
    pub(crate) fn digests(&self) -> BTreeSet<Digest> {
        self.artifact.digests().into_iter().chain([self.binary.digest]).collect()
    }

    /// Returns the archive of its documentation, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or has changed since it was written.
    pub fn docs_archive(&self) -> Result<Option<Vec<u8>>, BlobError> {
        let layer = self.artifact.docs_layer();
        layer
            .map(|layer| read_blob(&self.staging.blob(&layer.digest), &layer.digest, MAX_BLOB))
            .transpose()
    }
}

/// Removes the directories that processes left behind when they were killed. Those in use are
/// locked, and while one is being made the directory above it is.
pub(crate) fn sweep(parent: &Path) {
    let Ok(directory) = File::open(parent) else { return };
    let Ok(_nobody_makes_one) = acquire(directory, Sharing::Exclusive, Duration::ZERO) else {
        return;
    };
    let Ok(names) = names_in(parent) else { return };
    for name in names {
        let path = parent.join(name);
        let is_in_use = File::open(path.join(LOCK))
            .is_ok_and(|lock| acquire(lock, Sharing::Exclusive, Duration::ZERO).is_err());
        if !is_in_use {
            let _ = fs::remove_dir_all(path);
        }
    }
}
