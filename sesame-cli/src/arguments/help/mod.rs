//! Help for the command line: its groups of commands, the examples of each command, and the answers
//! to words that a parser refused or that ask for help.

mod answer;
mod examples;
mod groups;
mod meaning;

pub use answer::{MAX_WIDTH, answer, full_command};
pub use groups::everyday as everyday_form;
