//! Why a storage cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use private_files::FileError;

/// Why the storage of an extension cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A call of the extension uses it.
    #[error("a call of the extension is using its storage")]
    Busy,
    /// Its file is damaged, and stays aside until the storage is reset.
    #[error("the storage is damaged{}: its file is now `{}`", because(reason.as_deref()), path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage, where the file was read now.
        reason: Option<String>,
    },
    /// A newer sesame wrote it.
    #[error("`{}` was written by a newer sesame: {reason}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Both versions of the format.
        reason: String,
    },
    /// Its file or directory cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

impl StorageError {
    pub(super) fn of_file(path: &Path, source: io::Error) -> Self {
        Self::File(FileError { path: path.to_owned(), source })
    }
}
