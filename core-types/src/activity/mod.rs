//! The values of the activity log: calls with what they touched, and changes of what extensions
//! are and may do.

mod call;
mod change;

pub use call::{Activity, CallOutcome, CallRecord, Touch};
pub use change::{ActivityEvent, ChangeKind, ChangeOutcome, ChangeRecord};
