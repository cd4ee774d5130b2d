//! Events: the reports of a manager at work, for a program that shows them.
//!
//! [`Events`] takes each [`Event`], such as the [`Phase`] of the work on an extension. A [`Warning`] and a [`Note`] are facts beside the outcome, and
//! a [`Wait`] is the work that takes a while.

mod error_line;
mod event;
mod notice;

pub(crate) use event::Work;
pub use event::{Event, Events, Phase, Silent};
pub use notice::{Note, Wait, Warning};
