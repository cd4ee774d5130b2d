//! Compiled code on disk: where it lies, how a call knows that a file is unchanged, and a check
//! that the system lets this process run it.

mod code_cache;
mod code_file;
mod error;
mod executable_check;
mod own_files;

pub use code_cache::{CodeCache, CodeKey};
pub(crate) use code_file::CodeFile;
pub use error::{CacheError, IntoCacheError};
pub use executable_check::check_executable;
