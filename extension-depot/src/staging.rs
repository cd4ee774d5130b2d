//! Artifacts that have arrived and are not installed yet.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use core_types::{Digest, OciReference};
use tempfile::TempDir;

use crate::artifact::Artifact;
use crate::blob::{BlobError, BlobWriter, check, digest_of};
use crate::durable;
use crate::image::Descriptor;

/// A directory for the blobs of one artifact, on the file system on which they will stay. It goes with the value;
/// after a crash the next change of the depot removes it.
pub(crate) struct Staging {
    directory: TempDir,
    /// Held for as long as the directory is in use.
    _lock: File,
}

/// An artifact whose bytes are all there and verified. It can be looked at and compiled, and given to
/// [`crate::Depot::install`].
pub struct Staged {
    pub(crate) staging: Staging,
    /// What the reference led to.
    pub artifact: Artifact,
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
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not what they should be.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

const LOCK: &str = ".lock";

impl Staging {
    /// Makes a new directory below `parent`.
    pub(crate) fn new(parent: &Path) -> Result<Self, StagingError> {
        let make = || -> io::Result<Self> {
            durable::create_directory(parent)?;
            let directory = tempfile::Builder::new().prefix("new-").tempdir_in(parent)?;
            let lock = directory.path().join(LOCK);
            let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(lock)?;
            lock.try_lock()?;
            Ok(Self { directory, _lock: lock })
        };
        make().map_err(|source| StagingError::Io { path: parent.to_owned(), source })
    }

    /// Where a blob lies or will lie.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.directory.path().join(digest.hex())
    }

    /// Starts a blob that arrives piece by piece.
    pub(crate) fn writer(&self, descriptor: &Descriptor) -> Result<BlobWriter, BlobError> {
        BlobWriter::create(&self.blob(&descriptor.digest), descriptor.size)
    }

    /// Takes a blob that is there whole.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), BlobError> {
        check(bytes, digest)?;
        let mut writer = BlobWriter::create(&self.blob(digest), bytes.len() as u64)?;
        writer.write(bytes)?;
        writer.finish(digest)
    }

    /// Takes a blob whose digest is what it is.
    pub(crate) fn put_new(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = digest_of(bytes);
        self.put(&digest, bytes).map(|()| digest)
    }
}

impl Staged {
    /// The WebAssembly binary. Its bytes were verified as they were written.
    pub fn binary(&self) -> PathBuf {
        self.staging.blob(&self.artifact.wasm.digest)
    }
}

/// Removes the directories that processes left behind when they were killed. Those in use are locked.
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let abandoned = match File::open(path.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            // Made a moment ago and not locked yet, or half removed.
            Err(_) => is_old(&path),
        };
        if abandoned {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age.as_secs() > 60)
}
