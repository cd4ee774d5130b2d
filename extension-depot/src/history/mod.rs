//! What extensions were before, and what sesame remembers of the lists that it followed.
//!
//! Every change of an extension leaves a generation: the manifest as it was and what that was
//! pinned to. A rollback restores one without a network, and garbage collection deletes what no
//! kept generation needs.

mod followed_lists;
mod gc;
pub(crate) mod generation;

pub use followed_lists::{FollowedList, FromList, GivenByList, Pruned};
pub use gc::Collected;
pub use generation::{Generation, History, Reason};
