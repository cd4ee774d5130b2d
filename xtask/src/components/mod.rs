//! Writes the components of the `sesame` binary, as CycloneDX in JSON, by cargo-cyclonedx.
//!
//! That tool follows `cargo metadata`, which unites the features of all crates. So the list has a
//! few packages that are never built, and it has to have each that is: this compares it with
//! `cargo tree`. `--target TRIPLE` describes the binary for another processor or C library. With
//! `--check` nothing is written. It needs the sources of the packages, which
//! cargo fetches where they are missing.

mod check;
mod cyclonedx;
mod graph;

use std::path::Path;

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::write;
use cyclonedx::Bill;
pub use graph::{Graph, Package, TARGET};

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let is_check = arguments.flag("--check");
    let target = arguments.option("--target")?;
    let target = target.as_deref().unwrap_or(TARGET);
    let file = arguments.word();
    arguments.none()?;
    let text = cyclonedx::describe(target)?;
    let bill: Bill = serde_json::from_str(&text)
        .map_err(|error| Problem::new(format!("cargo cyclonedx: {error}")))?;
    check::check(&bill, &Graph::read(target)?)?;
    match file {
        Some(file) if !is_check => write(Path::new(&file), &text),
        None if is_check => Ok(()),
        _ => Err(Problem::new("expected a file to write, or --check")),
    }
}
