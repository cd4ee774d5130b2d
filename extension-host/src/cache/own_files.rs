//! Files and directories that only the user can have written.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::error::CacheError;

pub(super) fn remove_if_there(path: &Path) -> Result<(), CacheError> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed.map_err(|source| io_error(path, source)) {
        Ok(()) | Err(CacheError::Missing { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn create_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
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
        return Err(CacheError::NotOurs { path: path.to_owned(), reason: "is not a directory" });
    }
    check_owner(path, &metadata)
}

/// Opens a file that only the user can have written, without following a link.
pub(super) fn open_own(path: &Path) -> Result<(File, Metadata), CacheError> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|source| io_error(path, source))?;
    let metadata = file.metadata().map_err(|source| io_error(path, source))?;
    if !metadata.is_file() {
        return Err(CacheError::NotOurs { path: path.to_owned(), reason: "is not a regular file" });
    }
    check_owner(path, &metadata)?;
    Ok((file, metadata))
}

/// Opens the lock file, or makes it, without following a link.
pub(super) fn open_lock(path: &Path) -> Result<File, CacheError> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    options.open(path).map_err(|source| io_error(path, source))
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), CacheError> {
    let reason = if metadata.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if metadata.mode() & 0o022 != 0 {
        "can be written to by others"
    } else {
        return Ok(());
    };
    Err(CacheError::NotOurs { path: path.to_owned(), reason })
}

pub(super) fn io_error(path: &Path, source: io::Error) -> CacheError {
    match source.kind() {
        io::ErrorKind::NotFound => CacheError::Missing { path: path.to_owned() },
        _ => CacheError::Io { path: path.to_owned(), source },
    }
}
