//! Watches: functions that are called again and again for a program, which hears of new results.
//!
//! One thread knows when each watch is due, and workers make the calls. Without a watch there is no
//! thread.

mod object;
mod table;
mod watch;

pub(super) use object::WatchObject;
pub(super) use table::Watches;
pub(super) use watch::{NewWatch, path_of};
