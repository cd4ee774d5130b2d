//! What several commands of the session service share: its start, its place, which one process has,
//! what it tells of its extensions, and the words in which it tells programs of failures.

mod observer;
mod place;
mod start;
mod words;

pub use observer::{Bus, ServiceObserver, notify_quarantined};
pub use place::{take_place, wait_until_free};
pub use start::start_for_woken;
pub use words::Words;
