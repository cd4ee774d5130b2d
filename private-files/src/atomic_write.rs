//! Replaces files so that a crash or a power cut leaves the old or the new contents.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::directory::sync_directory;
use crate::listing::names_in;

/// The start of the names of files that are not in their place yet. A dot hides them from
/// listings, and no file of sesame's own begins so.
const TEMPORARY: &str = ".new-";

/// Replaces a file: a temporary one in the same directory is written, synced and renamed over it,
/// and the directory is synced. After that the new contents survive a power cut; before it the old
/// ones are there. The file is private (0600) from its first moment on.
///
/// # Errors
/// When the system refuses. The file is as it was.
pub fn atomic_write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = parent(path)?;
    let mut file = temporary_file(directory)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(directory)
}

/// Removes a file durably. Returns whether it was there.
///
/// # Errors
/// When the system refuses.
pub fn remove_durably(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(parent(path)?).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates a file without a name of its own yet, which is removed unless it is persisted.
///
/// # Errors
/// When the system refuses.
pub fn temporary_file(directory: &Path) -> io::Result<NamedTempFile> {
    Builder::new().prefix(TEMPORARY).tempfile_in(directory)
}

/// Creates a directory without a name of its own yet, which is removed with the value.
///
/// # Errors
/// When the system refuses.
pub fn temporary_directory(directory: &Path) -> io::Result<TempDir> {
    Builder::new().prefix(TEMPORARY).tempdir_in(directory)
}

/// Returns whether a name is one of [`temporary_file`] or [`temporary_directory`].
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
}

/// Removes the temporary files that killed processes left in a directory. Only the holder of the
/// lock under which the files of this directory are written may call it.
pub fn remove_leftovers(directory: &Path) {
    let Ok(names) = names_in(directory) else { return };
    for name in names.iter().filter(|name| is_temporary(name)) {
        let _ = fs::remove_file(directory.join(name));
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path without a directory"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn written_files_are_private_and_alone() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("f");
        atomic_write(&path, b"one").expect("written");
        atomic_write(&path, b"two").expect("replaced");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(root.path()).expect("read").count(), 1);
        assert!(remove_durably(&path).expect("removed"));
        assert!(!remove_durably(&path).expect("nothing to remove"));
    }

    #[test]
    fn leftovers_go_and_others_stay() {
        let root = tempfile::tempdir().expect("a directory");
        let left = temporary_file(root.path()).expect("made").keep().expect("kept").1;
        fs::write(root.path().join("mine"), "x").expect("written");
        remove_leftovers(root.path());
        assert!(!left.exists() && root.path().join("mine").exists());
        remove_leftovers(Path::new("/nowhere"));
    }
}
