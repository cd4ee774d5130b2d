//! Why code cannot be had from the cache.

use std::io;
use std::path::PathBuf;

use crate::compiling::CompileError;
use crate::error::HostError;

/// Why a file of the cache cannot be used or made. None of it matters to whoever calls an
/// extension: the code is compiled again.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is none.
    #[error("`{}` is not there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file or directory is not the user's alone.
    #[error("`{}` {reason}", path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
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
        /// What the system said.
        source: io::Error,
    },
}

/// Why code cannot be had from or through the cache.
#[derive(Debug, thiserror::Error)]
pub enum IntoCacheError {
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler.
    #[error(transparent)]
    Compile(CompileError),
    /// What came out does not load.
    #[error(transparent)]
    Load(#[from] HostError),
}
