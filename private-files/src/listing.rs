//! The names in directories.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An error with the file or directory that it is about.
#[derive(Debug, thiserror::Error)]
#[error("cannot change `{}`", path.display())]
pub struct FileError {
    /// The file or directory.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

/// Returns the names in a directory in no particular order, and none for a missing directory.
///
/// An unreadable directory is an error: a caller that deletes unreferenced files must not take it
/// for an empty one.
///
/// # Errors
/// When the directory is there and cannot be read to its end.
pub fn names_in(directory: &Path) -> Result<Vec<OsString>, FileError> {
    match read_names(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|source| FileError { path: directory.to_owned(), source }),
    }
}

fn read_names(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_directory_is_empty() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("one"), "").expect("written");
        assert_eq!(names_in(root.path()).expect("read"), ["one"]);
        assert!(names_in(&root.path().join("two")).expect("nothing there").is_empty());
        let error = names_in(&root.path().join("one")).expect_err("not a directory");
        assert_eq!(error.path, root.path().join("one"));
    }
}
