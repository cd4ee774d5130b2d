//! `sesame`: install, look at, restrict and call extensions of the desktop session.
#![deny(unsafe_code)]

mod arguments;
mod authoring;
mod commands;
mod completion;
mod consent;
mod context;
mod exit_code;
mod failure;
mod installed;
mod listing;
mod manual;
mod outcome;
mod pow;
mod project;
mod render;
mod service;
mod signing;
mod suffiks;
mod terminal;

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use core_types::ErrorKind;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::terminal::{Terminal, interrupt};

fn main() {
    // Credentials and secrets pass through this process; a crash must not leave them in a file.
    let core_limit = CORE_LIMIT.get_or_init(|| getrlimit(Resource::Core));
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: core_limit.maximum });
    // Turns a write beyond the size limit into an error; without a handler the signal ends the
    // process.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    if completion::answer() {
        return;
    }
    let words: Vec<_> = std::env::args_os().collect();
    let arguments =
        arguments::Arguments::read(&words).unwrap_or_else(|error| refuse(&words, error));
    let context = Context::new(arguments.global);
    let code = run(&context, arguments.command);
    // Unwinding is not worth its time: everything that must last is on the disk.
    std::process::exit(code.number());
}

/// The limit of core dumps at the start of this process.
static CORE_LIMIT: OnceLock<Rlimit> = OnceLock::new();

/// Restores the limit of core dumps before this process becomes another program.
fn restore_core_limit() {
    if let Some(limit) = CORE_LIMIT.get() {
        let _ =
            setrlimit(Resource::Core, Rlimit { current: limit.current, maximum: limit.maximum });
    }
}

/// Prints an error of the command line, or the help that it asks for. The words may be untrusted.
fn refuse(words: &[OsString], error: clap::Error) -> ! {
    let terminal = Terminal::detect(Context::colour());
    let width = terminal.reading_width().map_or(arguments::MAX_WIDTH, usize::from);
    let answer = arguments::answer(words, error, width.min(arguments::MAX_WIDTH));
    let is_wrong = answer.code == ErrorKind::Usage.into();
    let written = match answer.is_data {
        _ if is_wrong && arguments::wants_json(words) => {
            terminal.data(render::wrong_command_line(&answer.text).as_bytes())
        }
        false => terminal.stderr(&answer.text),
        true => terminal.data(answer.text.as_bytes()),
    };
    let code = written.map_or_else(|error| unwritten(&terminal, error), |()| None);
    std::process::exit(code.unwrap_or(answer.code).number())
}

/// Prints why standard output could not be written, as the tools of coreutils do, and returns the
/// exit code for that. A reader that closes the pipe early is not an error.
fn unwritten(terminal: &Terminal, error: std::io::Error) -> Option<ExitCode> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return None;
    }
    let failure = failure::Failure::message(ErrorKind::Local, "cannot write to standard output");
    let _ = terminal.stderr(&render::failure_text(&failure.caused_by(error)));
    Some(ErrorKind::Local.into())
}

/// Runs a command and prints its outcome.
fn run(context: &Context, command: arguments::Command) -> ExitCode {
    let presentation = command.presentation();
    let show_failure =
        if command.runs_program() { render::failure_beside_program } else { render::failure };
    let complete = |failure: failure::Failure| failure.or_similar(context);
    let done = commands::run(context, command).map(|outcome| outcome.with_failures(complete));
    context.progress.clear();
    match done.map_err(complete) {
        Ok(outcome) => match render::outcome(context, &presentation, &outcome) {
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                interrupt::end_soon(ErrorKind::Limit.into());
                render::failure(context, &failure::Failure::unread_output());
                ErrorKind::Limit.into()
            }
            Err(error) => {
                unwritten(&context.terminal, error).unwrap_or_else(|| outcome.exit_code())
            }
            Ok(()) => outcome.exit_code(),
        },
        Err(failure) => {
            show_failure(context, &failure);
            failure.code()
        }
    }
}
