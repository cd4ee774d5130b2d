//! The file of timed grants, in the runtime directory of the login session.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::{TimedGrants, TomlProblem};
use private_files::{
    atomic_write, create_durable_directory, ensure_exclusive, open_regular, read_opened,
    remove_durably, remove_leftovers,
};

/// The largest file of timed grants, in bytes, as for a manifest.
const MAX_SIZE: u64 = 1 << 20;

/// Why the file of grants that end cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TimedGrantsError {
    /// Another user could have written them.
    #[error("`{}` is not this user's alone", path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
    },
    /// The file says something else than grants.
    #[error("the grants in `{}` are wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
    /// The system refuses.
    #[error("cannot use the grants in `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

pub(crate) fn read(path: &Path) -> Result<String, TimedGrantsError> {
    let io_error = |source| TimedGrantsError::Io { path: path.to_owned(), source };
    let opened = open_regular(path).map_err(io_error)?;
    if ensure_exclusive(&opened.1).is_err() {
        return Err(TimedGrantsError::NotOurs { path: path.to_owned() });
    }
    let bytes = read_opened(opened, MAX_SIZE).map_err(io_error)?;
    String::from_utf8(bytes)
        .map_err(|error| io_error(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// Nothing is synced to a disk that there is not: the directory lies in memory.
pub(crate) fn write(path: &Path, grants: &TimedGrants) -> io::Result<()> {
    if grants.is_empty() {
        return remove_durably(path).map(drop);
    }
    if let Some(directory) = path.parent() {
        create_durable_directory(directory)?;
        remove_leftovers(directory);
        let is_private = fs::metadata(directory)?.mode() & 0o022 == 0;
        if !is_private {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "others can write in its directory",
            ));
        }
    }
    atomic_write(path, grants.to_text().map_err(io::Error::other)?.as_bytes())
}
