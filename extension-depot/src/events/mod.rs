//! Events: the state that the session service keeps from process to process.

mod asked_questions;
mod begun_sessions;
mod event_times;
mod running_extensions;
mod service_crashes;
mod session_claim;
mod told_states;

pub use asked_questions::NotNoted;
pub use event_times::EventTimes;
pub use running_extensions::RunningExtensions;
pub use service_crashes::BegunRunning;
pub use session_claim::{ClaimError, SessionClaim};
