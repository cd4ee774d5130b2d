//! Directories that are one user's alone, and names that outlast a power cut.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::io::Errno;

/// The mode of new directories: other users cannot even list them.
const DIRECTORY_MODE: u32 = 0o700;

/// Creates a directory (0700) with all that are missing above it. It may be lost with the power, as
/// a cache may.
///
/// # Errors
/// When the system refuses.
pub fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)
}

/// Creates a directory (0700) with all that are missing above it, durably.
///
/// # Errors
/// When the system refuses.
pub fn create_durable_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.is_dir()).collect();
    create_directory(path)?;
    // From the top on: the name of each has to outlast a power cut.
    missing.iter().rev().filter_map(|path| path.parent()).try_for_each(sync_directory)
}

/// Makes the names in a directory durable, where its file system can.
///
/// # Errors
/// When the file system can and fails.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    can_sync_directory(path).map(drop)
}

/// Returns whether the file system of a directory can make names durable.
///
/// # Errors
/// When the file system can and fails.
pub fn can_sync_directory(path: &Path) -> io::Result<bool> {
    where_supported(File::open(path)?.sync_all())
}

/// Returns whether an operation that some file systems lack was done. CIFS and some of FUSE answer
/// `EINVAL` or `ENOTSUP` to `fsync` of a directory, and there is nothing more to be had from them.
///
/// # Errors
/// Any other error of the operation.
pub fn where_supported(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Err(error) if is_unsupported(&error) => Ok(false),
        done => done.map(|()| true),
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INVAL | Errno::NOTSUP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A file system that cannot sync a directory is used without; a disk that fails is not.
    #[test]
    fn unsupported_sync_is_not_a_failure() {
        let after = |errno: Errno| where_supported(Err(errno.into()));
        assert!(matches!((after(Errno::INVAL), after(Errno::NOTSUP)), (Ok(false), Ok(false))));
        for errno in [Errno::IO, Errno::NOSPC, Errno::ROFS] {
            assert!(after(errno).is_err(), "{errno}");
        }
        assert!(can_sync_directory(Path::new("/nowhere")).is_err());
        assert!(can_sync_directory(&std::env::temp_dir()).expect("synced"));
    }

    #[test]
    fn new_directories_are_private() {
        let root = tempfile::tempdir().expect("a directory");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        for name in ["plain", "durable"] {
            let (outer, inner) = (root.path().join(name), root.path().join(name).join("inner"));
            match name {
                "plain" => create_directory(&inner),
                _ => create_durable_directory(&inner),
            }
            .expect(name);
            assert_eq!((mode(&outer), mode(&inner)), (0o700, 0o700), "{name}");
        }
        create_durable_directory(&root.path().join("durable")).expect("there already");
    }
}
