//! Text for people; tab-separated lines without a terminal.

mod authoring;
mod extension;
mod outcome;
mod report;
mod workload;

pub use outcome::{failure, outcome};
