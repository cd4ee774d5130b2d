//! What several commands of the session service share: its place, which one process has, and the
//! words in which it tells programs of failures.

mod place;
mod words;

pub use place::wait_until_free;
pub use words::Words;
