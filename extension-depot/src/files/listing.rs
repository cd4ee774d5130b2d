//! The names in directories. One that cannot be read is an error: whoever deletes what nothing
//! names must not take it for empty.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use crate::store::layout::FileError;

/// Returns the names in a directory, in no order; none where there is no directory.
///
/// # Errors
/// When it is there and cannot be read to its end.
pub(crate) fn names_in(directory: &Path) -> Result<Vec<OsString>, FileError> {
    let read = || -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|source| FileError { path: directory.to_owned(), source }),
    }
}
