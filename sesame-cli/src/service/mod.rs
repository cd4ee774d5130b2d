//! What several commands of the session service share: its start, its place, which one process has,
//! and the words in which it tells programs of failures.

mod place;
mod start;
mod words;

pub use place::wait_until_free;
pub use start::start_for_woken;
pub use words::Words;
