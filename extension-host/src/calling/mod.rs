//! One call: a store of its own with every limit, the requests of the guest while it runs, and the
//! report.
//!
//! `call.rs` runs a function, and `call_state.rs` is the data of its store. A request of the guest
//! to the desktop meets `admission.rs`, which asks the gate for the decision, checks size and rate,
//! and only then asks the backend. `deliver.rs` hands an event over by a call.

mod admission;
mod boot_clock;
mod bytes_call;
mod call;
mod call_state;
mod deliver;
mod gate;
mod observe;
mod process;
mod program;
mod rate;
mod report;
mod runtime;

pub(crate) use admission::Size;
pub use boot_clock::boot_time;
pub(crate) use call::{Work, is_good_exit};
pub use call_state::CallState;
pub(crate) use gate::Gate;
pub(crate) use observe::{Observer, Watch};
pub use process::Program;
pub(crate) use process::{Process, Setup};
pub use rate::{LastMinute, RateLimits};
pub use report::{CallReport, Returned, Usage};
