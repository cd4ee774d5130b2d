//! Errors of the cache.

use std::io;
use std::path::PathBuf;

use crate::compiling::CompileError;
use crate::error::HostError;

/// Why a file of the cache cannot be used or made. It does not matter to the caller of an
/// extension: the code is compiled again.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file does not exist.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file or directory is not the user's alone.
    #[error("`{}` {reason}", path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
        /// The reason, as the end of a sentence.
        reason: &'static str,
    },
    /// The file has changed since sesame wrote it.
    #[error("`{}` has changed since it was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Why code cannot be loaded from the cache or stored in it.
#[derive(Debug, thiserror::Error)]
pub enum IntoCacheError {
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler failed.
    #[error(transparent)]
    Compile(CompileError),
    /// The compiled code does not load.
    #[error(transparent)]
    Load(#[from] HostError),
}
