//! Newer versions: which there are, and putting one in the place of the installed one.

mod available;
mod error;
mod operation;
mod origin;

pub use available::{Age, Available};
pub use error::UpdateError;
pub use operation::{UpdateOptions, Updated};
