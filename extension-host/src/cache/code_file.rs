//! A file of compiled code, to see whether it is still the one that is mapped.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The inode, size and change time of a file. Another file has another one, and so has the same file
/// after it is written to, truncated, renamed or given other permissions.
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

/// The file of compiled code as it was when it was mapped.
#[derive(Debug, Clone)]
pub(crate) struct CodeFile {
    path: PathBuf,
    stamp: FileStamp,
}

impl CodeFile {
    /// Makes it of the metadata of the mapped descriptor, and of the name of the file.
    pub(super) fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, stamp: FileStamp::of(metadata) }
    }

    /// Returns whether the file of this name is still the same, and unchanged.
    pub(crate) fn is_unchanged(&self) -> bool {
        let found = self.path.symlink_metadata();
        found.is_ok_and(|metadata| FileStamp::of(&metadata) == self.stamp)
    }
}
