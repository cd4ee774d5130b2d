//! Files that a program keeps for one user.
//!
//! Other users and other programs can put a pipe, a link or a file of theirs in the place of any
//! path. The functions here open files so that a pipe does not block and a link is not written
//! through, read them within a bound, replace them as a whole, and wait for locks only for a time.
//!
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let path = directory.join("state/answer");
//! private_files::create_durable_directory(&directory.join("state"))?;
//! private_files::atomic_write(&path, b"42")?;
//! assert_eq!(private_files::read_private_text(&path, 16)?, "42");
//! assert!(private_files::read_private_text(&path, 1).is_err());
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod atomic_write;
mod directory;
mod link;
mod listing;
mod lock;
mod open;
mod owner;
mod read;
mod timeout;

pub use atomic_write::{
    atomic_write, is_temporary, remove_durably, remove_leftovers, temporary_directory,
    temporary_file,
};
pub use directory::{
    can_sync_directory, create_directory, create_durable_directory, sync_directory, where_supported,
};
pub use link::{LinkedFile, ensure_not_link};
pub use listing::{FileError, names_in};
pub use lock::{HeldLock, LockFailure, Sharing, acquire, is_without_locks};
pub use open::{
    ensure_regular, open_private, open_regular, open_to_append, open_to_change, open_unlinked,
};
pub use owner::{NotExclusive, ensure_exclusive, ensure_may_create, ensure_owned};
pub use read::{read_opened, read_private, read_private_text, read_regular, read_regular_text};
pub use timeout::{TimeoutError, with_timeout};
