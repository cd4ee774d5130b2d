//! Failures as the user sees them: the error, what helps, an exit code. Only this room decides
//! these.
//!
//! [`Failure`] keeps the error as it came, and text is made of it when it is shown. `Help` goes
//! with it. The other files have the help for the errors of one concern each, as an `Explain` or,
//! where a name or a command belongs to it, as a function of [`Failure`].

mod authoring;
mod calling;
mod changing;
mod command_failure;
mod depot;
mod described;
mod files;
mod help;
mod host;
mod installing;
mod own;
mod registry;
mod session;
mod similar;

pub use calling::refusal;
pub use command_failure::{Failure, in_one_line};
pub use files::LOCKS_HINT;
pub use help::{Explain, Refused};
