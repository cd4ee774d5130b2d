//! `sesame extension build`

use crate::authoring::build::{build, project};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Builds the project in this directory.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Written(vec![build(context, &project()?)?]))
}
