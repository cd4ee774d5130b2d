//! `sesame extension run`

use std::ffi::OsString;
use std::sync::Arc;

use core_types::{ErrorKind, LimitName};
use extension_depot::Opened;
use extension_host::{CallError, CallReport, Program};
use extension_manager::CallMode;

use crate::arguments::RunArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::{warn_of_causes, warn_of_refusals, worth_telling};
use crate::outcome::Outcome;
use crate::terminal::{ProgramOutput, interrupt};

/// Runs a program with the streams of this process, and passes on its exit status.
pub fn run(context: &Context, arguments: RunArguments) -> Result<Outcome, Failure> {
    let RunArguments { name, arguments, data } = arguments;
    let mode = if context.terminal.is_attended() { CallMode::Attended } else { CallMode::Ordinary };
    let callable = context.manager()?.callable(&name, mode)?;
    let words = arguments.into_iter().chain(data).map(text).collect::<Result<Vec<_>, _>>()?;
    let (stdout, stderr) = (Arc::new(ProgramOutput::stdout()), Arc::new(ProgramOutput::stderr()));
    let program = Program::new(words).with_streams(stdout.clone(), stderr.clone());
    let interrupted = interrupt::listen()?;
    let report = callable.run_program_blocking(program, interrupted).ok_or_else(interrupt::end)?;
    if matches!(&report.outcome, Err(CallError::Limit(over)) if over.limit.name == LimitName::Timeout)
    {
        interrupt::end_soon(ErrorKind::Limit.into());
    }
    stdout.finish();
    stderr.finish();
    ended(context, callable.opened(), report)
}

/// Converts a word to text, as WASI's arguments are.
fn text(word: OsString) -> Result<String, Failure> {
    word.into_string().map_err(|word| {
        let word = word.to_string_lossy().into_owned();
        Failure::message(
            ErrorKind::Usage,
            format!("the argument `{word}` is not UTF-8 text, which programs take"),
        )
    })
}

/// Returns the outcome of a program that ended. Its output is already printed.
fn ended(context: &Context, opened: &Opened, report: CallReport<i32>) -> Result<Outcome, Failure> {
    let refused = worth_telling(&report.activity);
    match report.outcome {
        Ok(status) => {
            let warn = if status == 0 { warn_of_refusals } else { warn_of_causes };
            warn(context, opened, &refused);
            // A shell sees the lowest eight bits of a status, which make a success of 256.
            Ok(Outcome::Ran(u8::try_from(status).unwrap_or(u8::MAX)))
        }
        Err(CallError::OutputClosed) if interrupt::came() => Err(interrupt::end()),
        Err(CallError::OutputClosed) => Err(interrupt::end_by_broken_pipe()),
        Err(error) => {
            Err(Failure::of_call(opened, error, &[], &refused)
                .with_missing(&report.activity.missing))
        }
    }
}
