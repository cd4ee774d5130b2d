//! Files beyond what the crate `private-files` does: the lock that changes are made under, state as
//! JSON with a version, and output that a user named.

pub(crate) mod lock;
pub(crate) mod output_directory;
pub(crate) mod state_file;
pub(crate) mod stored_file;

pub use lock::LockError;
pub use output_directory::{OutputDirectory, OutputFile};
pub use state_file::StateFileError;
pub use stored_file::StoredFileError;
