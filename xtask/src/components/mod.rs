//! Writes the components of the `sesame` binary, as CycloneDX 1.6 in JSON.
//!
//! A component is `required` where it is linked, and `excluded` where it only runs while building:
//! build scripts, procedural macros and their dependencies. Dependencies of tests alone are left
//! out. With `--check` nothing is written: it reports errors of the list, and its contents in
//! numbers. It needs the sources of the packages, which cargo fetches where they are missing.

mod bill;
mod check;
mod graph;
mod uuid;

use std::path::Path;

use crate::arguments::Arguments;
use crate::problem::Result;
use crate::repository::write;
use bill::Bill;
pub use graph::{Graph, Package};

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let is_check = arguments.flag("--check");
    let file = arguments.word();
    arguments.none()?;
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().filter(|epoch| !epoch.is_empty());
    let bill = Bill::of(&Graph::read()?, epoch.as_deref())?;
    if is_check {
        return check::check(&bill);
    }
    match file {
        Some(file) => write(Path::new(&file), &bill.to_json()?)?,
        None => print!("{}", bill.to_json()?),
    }
    Ok(())
}
