//! Compiled code on disk: where it lies, by which stamp a file is known to be unchanged, and whether
//! the system lets this process run what lies there.

mod code_cache;
mod error;
mod executable_check;
pub(crate) mod file_lock;
mod own_files;

pub use code_cache::{CodeCache, CodeKey};
pub use error::{CacheError, IntoCacheError};
pub use executable_check::check_executable;
