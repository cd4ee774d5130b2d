//! Failures as the user sees them: the error, one hint, an exit code. Only this room decides these.
//!
//! [`Failure`] is the value. The other files make it from the errors of the libraries, one file for
//! each concern.

mod calling;
mod command_failure;
mod conversions;
mod depot;
mod installing;
mod refused;
mod similar;

pub use calling::refusal;
pub use command_failure::{Failure, Refused};
pub use conversions::LOCKS_HINT;
