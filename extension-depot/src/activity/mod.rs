//! What extensions did, what was changed about them, and which of them are quarantined.
//!
//! Each call and each change leaves one line of JSON with the hash of the line before, so that a
//! line that was changed or taken out later is found. An extension that fails several times in a
//! row is quarantined until its user enables it.

mod activity_entry;
pub(crate) mod activity_log;
mod changes;
mod failures;
mod head;
mod note_call;
pub(crate) mod quarantine;
mod walk;

pub use activity_entry::ActivityEntry;
pub use activity_log::{ActivityError, ActivityLog};
pub use note_call::NoteCallError;
pub use quarantine::Quarantine;
pub use walk::ActivityFinding;
