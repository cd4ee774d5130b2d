//! Events: the state that the session service keeps from process to process.

mod asked_questions;
mod begun_sessions;
mod event_times;
mod session_claim;

pub use asked_questions::NotNoted;
pub use event_times::EventTimes;
pub use session_claim::{ClaimError, SessionClaim};
