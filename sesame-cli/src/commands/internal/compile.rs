//! Compiles in a bounded child process of `install`: `sesame compile-extension`

use std::ffi::OsString;

use core_types::ErrorKind;
use extension_host::{CompilerJob, run_compiler};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::terminal::Colour;

/// Compiles files to others. The parent reads standard error, so the message is printed bare.
pub fn run(jobs: &[OsString]) -> Result<Outcome, Failure> {
    let jobs = CompilerJob::parse_all(jobs);
    let jobs = jobs.ok_or_else(|| {
        Failure::message(ErrorKind::Usage, "a job has a file, another and a digest")
    })?;
    match run_compiler(&jobs) {
        Ok(()) => Ok(Outcome::AlreadyPrinted(ExitCode::Done)),
        Err(failure) => {
            crate::terminal::Terminal::detect(Colour::Never).status(&failure.message);
            // A code for the parent, not an exit code of a command.
            std::process::exit(failure.code)
        }
    }
}
