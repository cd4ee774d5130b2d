//! One call: a store of its own with every limit, the requests of the guest while it runs, and the
//! report on what came out.
//!
//! `call.rs` runs a function; `call_state.rs` is what the host keeps meanwhile. A guest that asks for
//! something meets `admission.rs`, which asks the gate for the decision, then counts size and rate,
//! and only then the backend.

mod admission;
mod boot_clock;
mod bytes_call;
mod call;
mod call_state;
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
pub(crate) use process::Process;
pub use process::Program;
pub use rate::RateLimits;
pub use report::{CallReport, Returned, Usage};
