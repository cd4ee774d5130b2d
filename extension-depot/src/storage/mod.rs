//! The storage of extensions: the values that each keeps from one call to the next, in one file of
//! its own. `file_format.rs` is the bytes of that file, `file.rs` reads and replaces it under its
//! lock, and `orphans.rs` finds those of extensions that are gone.

mod error;
mod file;
pub(crate) mod file_format;
mod orphans;

pub use error::StorageError;
pub use file::{LockedStorage, Storage};
pub use orphans::Orphan;
