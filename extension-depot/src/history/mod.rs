//! The history of extensions, and the lists that `sync` followed.
//!
//! Every change of an extension leaves a generation: the manifest with its pin. A rollback restores
//! one without a network, and garbage collection deletes the blobs that are unreferenced.

mod followed_lists;
mod gc;
pub(crate) mod generation;
pub(crate) mod note_generation;
mod rollback;

pub use followed_lists::{FollowedList, FromList, GivenByList, PruneError, Pruned};
pub use gc::Collected;
pub use generation::{Generation, History, HistoryError, Reason};
pub use rollback::{GenerationError, RestoreError};
