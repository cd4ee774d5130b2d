//! What the bounded child of `install` does: `sesame compile-extension`

use std::path::Path;

use core_types::Digest;
use extension_host::run_compiler;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Compiles one file to another. The parent reads standard error, so the message is printed bare.
pub fn run(from: &Path, to: &Path, digest: &Digest) -> Result<Outcome, Failure> {
    match run_compiler(from, to, digest) {
        Ok(()) => Ok(Outcome::Shown(ExitCode::Done)),
        Err(failure) => {
            crate::terminal::Terminal::detect().note(&failure.message);
            let damaged = failure.code == ExitCode::Local.number();
            Ok(Outcome::Shown(if damaged { ExitCode::Local } else { ExitCode::Failure }))
        }
    }
}
