//! The values of the activity log: the things that a call touches, while the call runs and as the
//! log has them.

mod record;
mod touch;

pub use record::{ActivityRecord, CallOutcome, CallRecord, TouchRecord};
pub use touch::{Activity, Touch};
