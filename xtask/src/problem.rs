//! The error of a task: text for the person who runs it.

use std::fmt;
use std::io;
use std::path::Path;

/// The result of a task.
pub type Result<T> = std::result::Result<T, Problem>;

/// Why a task failed.
#[derive(Debug)]
pub struct Problem(String);

impl Problem {
    /// Makes a problem of a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes a problem of a file.
    pub fn of_file(path: &Path, cause: &dyn fmt::Display) -> Self {
        Self(format!("{}: {cause}", path.display()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
