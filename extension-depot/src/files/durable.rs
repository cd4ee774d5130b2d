//! Writing so that a crash or a power cut leaves the old or the new, and never anything else.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::io::Errno;

use crate::files::listing::names_in;

/// How the names of files begin that are not in their place yet.
const NEW: &str = ".new-";

/// Replaces a file: a temporary one in the same directory is written, synced and renamed over it,
/// and the directory is synced. When this returns, the new contents survive a power cut; whatever
/// happens before, the old ones are there. The file is the user's alone (0600) from its first
/// moment on.
pub(crate) fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = parent(path)?;
    let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(directory)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(directory)
}

/// Removes a file durably. Gives back whether it was there.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(parent(path)?).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the temporary files that killed processes left in a directory. Only for who holds the
/// lock under which the files of this directory are written.
pub(crate) fn remove_leftovers(directory: &Path) {
    let Ok(names) = names_in(directory) else { return };
    for name in names {
        if name.as_encoded_bytes().starts_with(NEW.as_bytes()) {
            let _ = fs::remove_file(directory.join(name));
        }
    }
}

/// Makes a directory of the user's alone (0700) with all that are missing above it.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.is_dir()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // From the top on: the name of each has to outlast a power cut.
    missing.iter().rev().filter_map(|path| path.parent()).try_for_each(sync_directory)
}

/// Makes the names in a directory durable, where its file system can.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    where_supported(File::open(path)?.sync_all()).map(drop)
}

/// Whether the file system of a directory can make names durable.
///
/// # Errors
/// When it can and this fails.
pub(crate) fn can_sync_directory(path: &Path) -> io::Result<bool> {
    where_supported(File::open(path)?.sync_all())
}

/// Returns whether something that some file systems have no support for was done. CIFS and some of
/// FUSE answer `EINVAL` or `ENOTSUP` to `fsync` of a directory: there is nothing more to be had
/// from them. Any other error is one.
pub(crate) fn where_supported(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Err(error)
            if matches!(Errno::from_io_error(&error), Some(Errno::INVAL | Errno::NOTSUP)) =>
        {
            Ok(false)
        }
        done => done.map(|()| true),
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path without a directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system that cannot sync a directory is used without; a disk that fails is not.
    #[test]
    fn unsupported_sync_is_not_a_failure() {
        let after = |errno: Errno| where_supported(Err(errno.into()));
        assert!(matches!((after(Errno::INVAL), after(Errno::NOTSUP)), (Ok(false), Ok(false))));
        assert!(
            after(Errno::IO).is_err()
                && after(Errno::NOSPC).is_err()
                && after(Errno::ROFS).is_err()
        );
        assert!(can_sync_directory(Path::new("/nowhere")).is_err());
        assert!(can_sync_directory(&std::env::temp_dir()).expect("synced"));
    }
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_and_directories_are_private_and_nothing_else_is_left() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = root.path().join("a/b");
        create_directory(&directory).expect("made");
        write(&directory.join("f"), b"one").expect("written");
        write(&directory.join("f"), b"two").expect("replaced");
        assert_eq!(fs::read(directory.join("f")).expect("read"), b"two");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(
            (mode(&root.path().join("a")), mode(&directory), mode(&directory.join("f"))),
            (0o700, 0o700, 0o600)
        );
        assert_eq!(fs::read_dir(&directory).expect("read").count(), 1);
        assert!(remove(&directory.join("f")).expect("removed"));
        assert!(!remove(&directory.join("f")).expect("nothing to remove"));
    }
}
