//! The values of the activity log: what a call touched, as it is noted while the call runs, and as
//! it is written and read; and changes of what extensions are and may do.

mod change;
mod record;
mod touch;

pub use change::{ActivityEvent, ChangeKind, ChangeOutcome, ChangeRecord};
pub use record::{ActivityRecord, CallOutcome, CallRecord, TouchRecord};
pub use touch::{Activity, Touch};
