//! A file of compiled code, to see whether it is still the one that was mapped.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the kernel knows of a file: it changes whenever the file is written to, truncated, renamed or
/// given other permissions, or when another one takes its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    inode: u64,
    size: u64,
    /// The change time in seconds, and the nanoseconds of it.
    changed: (i64, i64),
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { inode: metadata.ino(), size: metadata.size(), changed }
    }
}

/// The text in stamp files.
impl fmt::Display for FileStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanoseconds) = self.changed;
        write!(f, "{} {} {seconds}.{nanoseconds:09}", self.inode, self.size)
    }
}

/// The file of compiled code as it was at one moment. A program that keeps code mapped asks before
/// each use whether it has changed, and loads anew then.
///
/// ```
/// use extension_host::{CacheError, CodeCache, CodeKey};
///
/// # let directory = tempfile::tempdir()?;
/// # let digest = format!("sha256:{}", "0".repeat(64)).parse()?;
/// let cache = CodeCache::new(directory.path().join("code"));
/// let key = CodeKey::new(&digest);
/// let file = cache.file(&key);
/// assert!(!file.is_there() && file.is_unchanged());
/// cache.store(&key, |path| {
///     std::fs::write(path, "code").map_err(|source| CacheError::Io { path: path.into(), source })
/// })?;
/// assert!(!file.is_unchanged());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CodeFile {
    path: PathBuf,
    stamp: Option<FileStamp>,
}

impl CodeFile {
    pub(super) fn at(path: PathBuf) -> Self {
        let stamp = stamp_at(&path);
        Self { path, stamp }
    }

    /// Returns whether there was a file.
    pub fn is_there(&self) -> bool {
        self.stamp.is_some()
    }

    /// Returns whether the file is still the same, or still not there.
    pub fn is_unchanged(&self) -> bool {
        stamp_at(&self.path) == self.stamp
    }
}

fn stamp_at(path: &Path) -> Option<FileStamp> {
    path.symlink_metadata().ok().map(|metadata| FileStamp::of(&metadata))
}
