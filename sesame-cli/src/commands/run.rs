//! `sesame extension run`

use std::ffi::OsString;
use std::sync::Arc;

use core_types::{EffectiveLimits, LimitName, LimitOrigin, Limits};
use extension_depot::Opened;
use extension_host::{CallError, CallReport, Program};

use super::{call, logs};
use crate::arguments::RunArguments;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::program_output::ProgramOutput;

/// Runs a program with the streams of this process, and passes its exit status on.
pub fn run(context: &Context, arguments: RunArguments) -> Result<Outcome, Failure> {
    let RunArguments { name, arguments, data } = arguments;
    if context.is_safe_mode() {
        return Err(Failure::safe_mode());
    }
    let depot = context.depot()?;
    let mut opened = depot.open(&name, context.config()?).map_err(|error| Failure::of_extension(&name, &error))?;
    if context.terminal.is_attended() {
        opened.permissions.limits = without_default_deadline(context, &opened)?;
    }
    let extension = call::extension(context, &opened, false)?;
    let function = extension.program().map(|program| program.qualified_name()).unwrap_or_default();
    let words = arguments.into_iter().chain(data).map(text).collect::<Result<Vec<_>, _>>()?;
    let (stdout, stderr) = (Arc::new(ProgramOutput::stdout()), Arc::new(ProgramOutput::stderr()));
    let program = Program::new(words).with_streams(stdout.clone(), stderr.clone());
    let interrupted = interrupt::listen()?;
    let report = extension.run_program_blocking(program, interrupted).ok_or_else(interrupt::end)?;
    if matches!(&report.outcome, Err(CallError::Limit(over)) if over.limit.name == LimitName::Timeout) {
        interrupt::end_soon(ExitCode::Limit);
    }
    stdout.finish();
    stderr.finish();
    logs::append(context, depot.places(), &name, &function, &report);
    ended(context, &opened, report)
}

/// WASI's arguments are text.
fn text(word: OsString) -> Result<String, Failure> {
    word.into_string().map_err(|word| {
        let word = word.to_string_lossy().into_owned();
        Failure::message(ExitCode::Usage, format!("the argument `{word}` is not UTF-8 text, which programs take"))
    })
}

/// A person at a terminal may take their time: where nothing sets a deadline, only the ceilings of policies hold.
fn without_default_deadline(context: &Context, opened: &Opened) -> Result<EffectiveLimits, Failure> {
    let limits = &opened.permissions.limits;
    if limits.get(LimitName::Timeout).origin != LimitOrigin::Default {
        return Ok(limits.clone());
    }
    let written: &Limits = &opened.installed.loaded.manifest.limits;
    Ok(EffectiveLimits::new(&written.with_longest_time(), &context.config()?.ceilings()))
}

/// What the user sees of a program that ended: what it wrote they have seen.
fn ended(context: &Context, opened: &Opened, report: CallReport<i32>) -> Result<Outcome, Failure> {
    let (name, limits_file) = (&opened.installed.name, &opened.installed.loaded.path);
    let refused: Vec<_> = report.activity.refused().filter(|touch| call::is_worth_telling(touch)).collect();
    match report.outcome {
        Ok(status) => {
            refused.iter().for_each(|touch| call::warn_of_refusal(context, opened, touch));
            // A shell sees the lowest eight bits of a status.
            Ok(Outcome::Ran(status as u8))
        }
        Err(CallError::OutputClosed) if interrupt::came() => Err(interrupt::end()),
        Err(CallError::OutputClosed) => Err(interrupt::end_by_broken_pipe()),
        Err(error) => Err(Failure::of_call(name, &error, limits_file, &[]).with_refusals(name, &refused)),
    }
}
