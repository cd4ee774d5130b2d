//! Calls of installed extensions.
//!
//! A [`Callable`] is an extension that is opened for calls, within everything that holds for it;
//! a [`Session`] opens one for each call. What a guest printed goes to its log, and [`Needs`] are
//! the least permissions for what a call used.

mod callable;
mod delivery;
mod file_access;
mod guest_log;
mod learn;
mod refusal_limiter;
mod session;
mod storage;
mod undelivered;

pub use callable::{CallMode, Callable, OutsideCall};
pub use delivery::{Delivered, Delivery, DeliveryOutcome, WakingEvent, waking_events_of};
pub use file_access::UnreadablePath;
pub use guest_log::GuestLogError;
pub use learn::{Needs, difference};
pub(crate) use refusal_limiter::RefusalLimiter;
pub use session::{Session, SessionError};
pub(crate) use storage::DepotStorage;
