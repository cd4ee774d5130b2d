//! State files beside other files and directories.

use std::path::{Path, PathBuf};

use private_files::{FileError, names_in};

use crate::files::state_file::{self, StateFile, StateFileError};

/// Why a file of the depot cannot be read or written, where state is among its files.
#[derive(Debug, thiserror::Error)]
pub enum StoredFileError {
    /// Something that sesame remembers.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// Another file, or a directory.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Returns the state files of a directory in the order of their names.
pub(crate) fn state_files_in(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut files: Vec<_> = names_in(directory)?.iter().map(|name| directory.join(name)).collect();
    files.retain(|file| file.extension() == Some("json".as_ref()));
    files.sort();
    Ok(files)
}

/// Reads the state files of a directory in the order of their names.
pub(crate) fn read_all<T: StateFile>(directory: &Path) -> Result<Vec<T>, StoredFileError> {
    let mut all = Vec::new();
    for path in state_files_in(directory)? {
        all.extend(state_file::read(&path)?);
    }
    Ok(all)
}
