//! Errors of the binary itself, made of words and causes.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

/// Any error that can be kept.
pub(super) type BoxedError = Box<dyn Error + Send + Sync>;

/// An error in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Message(pub String);

/// An error with another one as its cause.
#[derive(Debug)]
pub(super) struct Caused {
    pub what: BoxedError,
    pub cause: BoxedError,
}

impl Display for Caused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

/// An error about a file, with the causes of that error.
#[derive(Debug)]
pub(super) struct InFile {
    path: PathBuf,
    error: BoxedError,
}

impl InFile {
    pub fn new(path: &Path, error: BoxedError) -> Self {
        Self { path: path.to_owned(), error }
    }
}

impl Display for InFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.display(), self.error)
    }
}

impl Error for InFile {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
