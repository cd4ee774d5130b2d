//! Calls over the bus.
//!
//! A [`CallRequest`] is a message that was understood. A worker runs it with everything that holds
//! for a call of the user's: the decision at this moment, limits, activity log, quarantine.

mod explain;
mod object;
mod options;
mod request;

pub use explain::{Explain, Explained};
pub(super) use object::{CallObject, path_of};
pub(super) use options::{CallOptions, WatchOptions};
pub(super) use request::{Answer, CallRequest, Report, Runner, json_error};
