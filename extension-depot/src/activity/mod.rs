//! The log of what extensions did.
//!
//! Each call leaves one line of JSON with the hash of the line before, so that a line that was
//! changed or taken out later is found.

pub(crate) mod activity_log;

pub use activity_log::{ActivityEntry, ActivityError, ActivityFinding, ActivityLog};
