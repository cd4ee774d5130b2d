//! The engine: a thread that waits for timers and sources, and a few that deliver.
//!
//! [`Timers`] say when something is due, the dispatcher says who gets what, and the engine alone
//! waits. It sleeps in one call of the kernel until a timer, a source or an ended delivery wakes it:
//! an idle engine does not wake at all.

mod clock;
mod deliver;
mod inbox;
mod main_loop;
mod status;
mod timer_memory;
mod timers;
mod wait;

pub(crate) use clock::milliseconds_now;
pub use clock::{Clock, Now, SystemClock};
pub use deliver::{Deliver, Delivered};
pub(crate) use inbox::FollowedLock;
pub use inbox::{Inbox, Stopped};
pub use main_loop::{Engine, EngineError, Parts, Subscribers};
pub use status::{Load, Status};
pub use timer_memory::{Forgetful, LastDue, TimerMemory, Unremembered};
pub use timers::Timers;
