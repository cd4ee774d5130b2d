//! Schedules: the moments at which `time.every` and `time.at` are due.
//!
//! Nothing here waits or reads a clock. A schedule is asked for its next moment and for what became
//! due up to now, so that sleep, a stopped process and a clock that is set are one question each.

mod at;
mod every;
mod local_time;

pub use at::{At, DueAt};
pub use every::{DueEvery, Every};
pub use local_time::first_moment;
