//! Why a file of the depot cannot be read or written.

use private_files::FileError;

use crate::files::state_file::StateFileError;

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
