//! The values that an extension keeps from one call to the next: their keys, and how many and how
//! large they can be. Nothing here reads or writes files.

mod key;
mod values;

pub use key::{StorageKey, StorageKeyError};
pub use values::{MAX_STORED_VALUE, StoredValues, TooMuchStored};
