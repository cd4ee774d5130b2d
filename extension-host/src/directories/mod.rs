//! The directories that an extension is let into, whatever is granted. The rules open a directory,
//! having looked at the mounts of this process and at everything that is protected.

mod mounts;
mod protected;
mod rules;

pub(crate) use rules::OpenDirectory;
pub use rules::{DirectoryError, DirectoryRules};
