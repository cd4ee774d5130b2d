//! The values of the activity log: what a call touched, as it is noted while the call runs, and as
//! it is written and read.

mod record;
mod touch;

pub use record::{ActivityRecord, CallOutcome, CallRecord, TouchRecord};
pub use touch::{Activity, Touch};
