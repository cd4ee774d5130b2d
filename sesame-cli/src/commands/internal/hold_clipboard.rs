//! Holds the clipboard in a child process of `clipboard-write`: `sesame hold-clipboard`

use core_types::ErrorKind;
use extension_host::{Display, hold_clipboard};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Holds a text until another program sets the clipboard. An error has already been reported to the
/// parent.
pub fn run(display: Display) -> Result<Outcome, Failure> {
    let held = hold_clipboard(display);
    Ok(Outcome::AlreadyPrinted(if held.is_ok() {
        ExitCode::Done
    } else {
        ErrorKind::Failure.into()
    }))
}
