//! `sesame`: install, look at, restrict and call extensions of the desktop session.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod consent;
mod context;
mod exit_code;
mod failure;
mod outcome;
mod progress;
mod ready;
mod render;
mod terminal;
mod user_config;

use clap::Parser;

use crate::context::Context;
use crate::exit_code::ExitCode;

fn main() {
    let arguments = arguments::Arguments::parse();
    let context = Context::new(arguments.global);
    let code = run(&context, arguments.command);
    // Nothing is worth unwinding for: what had to be durable is.
    std::process::exit(code.number());
}

/// Runs a command and shows what came of it.
fn run(context: &Context, command: arguments::Command) -> ExitCode {
    let shown = match commands::run(context, command) {
        Ok(outcome) => render::outcome(context, &outcome).map(|()| outcome.exit_code()),
        Err(failure) => render::failure(context, &failure).map(|()| failure.code),
    };
    shown.unwrap_or_else(|error| render::lost_output(&error))
}
