//! Files and directories that only the user can have written.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use private_files::{ensure_exclusive, open_unlinked};

use super::error::CacheError;

pub(super) fn remove_if_there(path: &Path) -> Result<(), CacheError> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed.map_err(|source| io_error(path, source)) {
        Ok(()) | Err(CacheError::Missing { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a file private. Where a file system has no modes of its own, it may have been so from the
/// beginning.
pub(super) fn make_private(file: &File) -> io::Result<()> {
    match file.set_permissions(Permissions::from_mode(0o600)) {
        Err(_) if file.metadata()?.mode() & 0o077 == 0 => Ok(()),
        done => done,
    }
}

/// Checks that only the user can put files into the directory.
pub(super) fn check_directory(path: &Path) -> Result<(), CacheError> {
    let metadata = fs::symlink_metadata(path).map_err(|source| io_error(path, source))?;
    if !metadata.is_dir() {
        return Err(not_ours(path, "is not a directory"));
    }
    check_owner(path, &metadata)
}

/// Opens a file that only the user can have written, without following a link.
pub(super) fn open_own(path: &Path) -> Result<(File, Metadata), CacheError> {
    let (file, metadata) = open_unlinked(path).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidInput => not_ours(path, "is not a regular file"),
        _ => io_error(path, source),
    })?;
    check_owner(path, &metadata)?;
    Ok((file, metadata))
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), CacheError> {
    ensure_exclusive(metadata).map_err(|reason| not_ours(path, reason.as_str()))
}

fn not_ours(path: &Path, reason: &'static str) -> CacheError {
    CacheError::NotOurs { path: path.to_owned(), reason }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> CacheError {
    match source.kind() {
        io::ErrorKind::NotFound => CacheError::Missing { path: path.to_owned() },
        _ => CacheError::Io { path: path.to_owned(), source },
    }
}
