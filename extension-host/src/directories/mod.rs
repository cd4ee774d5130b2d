//! The directories that no grant opens. The rules open a granted directory, having checked it
//! against the mounts of this process and everything that is protected.

mod check;
mod error;
mod mounts;
mod protected;
mod rules;

pub(crate) use check::OpenDirectory;
pub use error::DirectoryError;
pub use rules::DirectoryRules;
