//! Text for people; tab-separated lines without a terminal.

mod authoring;
mod events;
mod extension;
mod outcome;
mod parts;
mod report;
mod session;
mod session_files;
mod workload;

pub use outcome::outcome;
pub use parts::failure;
