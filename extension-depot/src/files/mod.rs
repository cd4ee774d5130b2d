//! Files of one user: opened with suspicion, replaced as a whole, changed under a lock.

pub(crate) mod durable;
pub(crate) mod listing;
pub(crate) mod lock;
pub(crate) mod output_directory;
pub(crate) mod own_file;
pub(crate) mod state_file;

pub use lock::LockError;
pub use output_directory::{OutputDirectory, OutputFile};
pub use own_file::LinkedFile;
pub use state_file::StateFileError;
