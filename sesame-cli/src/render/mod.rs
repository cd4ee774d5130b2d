//! From outcomes and failures to what people and programs read. Data goes to standard output, talk to standard error.

mod json;
mod text;

use std::io;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// What is written where.
#[derive(Default)]
pub struct Rendered {
    /// For standard output.
    pub data: Vec<u8>,
    /// For standard error.
    pub talk: String,
}

/// Shows what came of a command.
pub fn outcome(context: &Context, outcome: &Outcome) -> io::Result<()> {
    let rendered = if context.global.json { json::outcome(outcome)? } else { text::outcome(context, outcome) };
    if !rendered.talk.is_empty() && !context.global.quiet {
        context.terminal.talk(&rendered.talk)?;
    }
    if rendered.data.is_empty() { Ok(()) } else { context.terminal.data(&rendered.data) }
}

/// Shows why there is no outcome.
pub fn failure(context: &Context, failure: &Failure) -> io::Result<()> {
    let text = if context.global.json { json::failure(failure) } else { text::failure(failure) };
    context.terminal.talk(&text)
}

/// What to do when output cannot be written. A reader that has seen enough is no error.
pub fn lost_output(error: &io::Error) -> ExitCode {
    if error.kind() == io::ErrorKind::BrokenPipe { ExitCode::Done } else { ExitCode::Local }
}

/// The first line of a text of several, for places that have one.
pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
