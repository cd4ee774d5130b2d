//! What a child does for `clipboard-write`: `sesame hold-clipboard`

use core_types::ErrorKind;
use extension_host::{Display, hold_clipboard};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Holds a text until something else is on the clipboard. The parent has been told what went wrong,
/// if something did.
pub fn run(display: Display) -> Result<Outcome, Failure> {
    let held = hold_clipboard(display);
    Ok(Outcome::Shown(if held.is_ok() { ExitCode::Done } else { ErrorKind::Failure.into() }))
}
