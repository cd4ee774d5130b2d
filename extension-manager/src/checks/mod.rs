//! Checks of what is installed and of this machine: whether policy stops an extension, whether its
//! files are as they were, what needs them, and whether everything that sesame needs is there.
//!
//! Each finding is typed and says how bad it is; whoever shows it chooses the words and the hint.

mod garbage;
mod health;
mod installed_files;
mod machine;
mod policy_stop;

pub use garbage::{Garbage, GarbageError};
pub use health::Health;
pub use installed_files::{CheckedFiles, CodeRepairError, Damage, Restore};
pub use machine::{
    BrokenError, CodeState, DirectoryState, ExtensionState, LockState, SessionState, registries_of,
};
pub use policy_stop::{PolicyCheck, PolicyStop};
