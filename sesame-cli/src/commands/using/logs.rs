//! `sesame extension logs`

use core_types::{ErrorKind, ExtensionName};
use extension_manager::GuestLogError;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Shows the last lines of an extension's log.
pub fn run(
    context: &Context,
    name: &ExtensionName,
    lines: usize,
    raw: bool,
) -> Result<Outcome, Failure> {
    let log = context.manager()?.guest_log(name, lines);
    log.map(|text| Outcome::Log { text, raw }).map_err(|error| match error {
        GuestLogError::Extension(error) => Failure::from(error),
        GuestLogError::Read { .. } => Failure::new(ErrorKind::Local, error),
    })
}
