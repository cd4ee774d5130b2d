//! The values of the activity log: the things that a call touches, while the call runs and as the
//! log has them; and changes of what is installed, granted and trusted.

mod cause;
mod change;
mod record;
mod touch;

pub use cause::Cause;
pub use change::{ActivityEvent, ChangeKind, ChangeOutcome, ChangeRecord};
pub use record::{ActivityRecord, CallOutcome, CallRecord, TouchRecord};
pub use touch::{Activity, Touch};
