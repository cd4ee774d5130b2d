//! The person at the terminal, or the program behind a pipe: the standard streams, what is escaped,
//! painted or paged on the way there, progress and warnings, times as a person reads them, and
//! interrupts while a program runs.

mod escape;
mod events;
pub mod interrupt;
pub mod moment;
mod pager;
mod program_output;
mod progress;
mod service_events;
mod shorten;
mod streams;
mod style;
mod timed_write;
mod warnings;

pub use escape::{escape_control, escape_to_line, first_line, is_active};
pub use events::TerminalEvents;
pub use program_output::ProgramOutput;
pub use progress::{ProgressLines, waiting};
pub use service_events::ServiceEvents;
pub use shorten::middle;
pub use streams::Terminal;
pub use style::{Colour, Style};
pub use warnings::{MAX_WARNINGS, Warnings};
