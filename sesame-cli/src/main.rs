//! `sesame`: install, look at, restrict and call extensions of the desktop session.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod completion;
mod consent;
mod context;
mod exit_code;
mod failure;
mod outcome;
mod progress;
mod ready;
mod render;
mod terminal;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::context::Context;
use crate::exit_code::ExitCode;

fn main() {
    // Credentials and secrets pass through this process; a crash must not leave them in a file.
    let no_core = Rlimit { current: Some(0), maximum: getrlimit(Resource::Core).maximum };
    let _ = setrlimit(Resource::Core, no_core);
    if completion::answer() {
        return;
    }
    let arguments = arguments::Arguments::parse();
    let context = Context::new(arguments.global);
    let code = run(&context, arguments.command);
    // Nothing is worth unwinding for: what had to be durable is.
    std::process::exit(code.number());
}

/// Runs a command and shows what came of it.
fn run(context: &Context, command: arguments::Command) -> ExitCode {
    match commands::run(context, command) {
        Ok(outcome) => match render::outcome(context, &outcome) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::Local,
            // A reader that has seen enough changes nothing about what came of it.
            _ => outcome.exit_code(),
        },
        Err(failure) => {
            render::failure(context, &failure);
            failure.code
        }
    }
}
