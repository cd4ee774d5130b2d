//! Shows outcomes and failures: data on standard output, messages on standard error.

use std::io;

use core_types::ErrorKind;

use super::screen::Screen;
use super::{json, text};
use crate::arguments::Presentation;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Text for each of the streams.
#[derive(Default)]
pub struct Rendered {
    /// For standard output.
    pub data: Vec<u8>,
    /// A text for a person to read page by page, with our own styles; nothing without a reader.
    pub paged: String,
    /// For standard error.
    pub stderr: String,
}

impl Rendered {
    /// Writes a text for its reader: page by page on a terminal, or as it is. It is escaped
    /// already.
    pub(super) fn text(screen: &Screen, text: String) -> Self {
        if screen.is_terminal() {
            Self { paged: text, ..Self::default() }
        } else {
            Self { data: text.into_bytes(), ..Self::default() }
        }
    }
}

/// Shows the outcome of a command.
pub fn outcome(
    context: &Context,
    presentation: &Presentation,
    outcome: &Outcome,
) -> io::Result<()> {
    if matches!(outcome, Outcome::Ran(_) | Outcome::AlreadyPrinted(_)) {
        context.warnings.show();
        return Ok(());
    }
    if context.global.json {
        let object = json::outcome(outcome, context.warnings.take())?;
        return context.terminal.data(object.as_bytes());
    }
    if let Outcome::PartialFailure { done, failures } = outcome {
        failures.iter().for_each(|one| failure(context, one));
        return self::outcome(context, presentation, done);
    }
    let screen = Screen::new(context, presentation);
    let rendered = text::outcome(context, &screen, outcome);
    if !rendered.stderr.is_empty() && !context.global.quiet {
        // If standard error is gone, data still matters.
        let _ = context.terminal.stderr(&rendered.stderr);
    }
    if !rendered.paged.is_empty() {
        context.terminal.page(&rendered.paged)?;
    }
    if !rendered.data.is_empty() {
        context.terminal.data(&rendered.data)?;
    }
    if let Some(refusal) = refusal(outcome) {
        failure(context, refusal);
    }
    Ok(())
}

/// Returns the verdict, which follows the findings.
fn refusal(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Inspected(inspection) => inspection.refusal.as_ref(),
        _ => None,
    }
}

/// Shows a failure: a program finds it in the place of the outcome.
pub fn failure(context: &Context, failure: &Failure) {
    let text = worded(context, failure);
    let _ = if context.global.json {
        context.terminal.data(text.as_bytes())
    } else {
        context.terminal.stderr(&text)
    };
}

/// Shows the failure of a command whose standard output is that of a program, which may have a reader
/// of its own.
pub fn failure_beside_program(context: &Context, failure: &Failure) {
    let _ = context.terminal.stderr(&worded(context, failure));
}

fn worded(context: &Context, failure: &Failure) -> String {
    if context.global.json {
        json::failure(failure, context.warnings.take())
    } else {
        text::failure(failure)
    }
}

/// Makes the object for an unreadable command line, from the message for a person.
pub fn wrong_command_line(told: &str) -> String {
    let mut lines = told.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let failure =
        Failure::message(ErrorKind::Usage, message).with_details(lines.map(str::to_owned));
    json::failure(&failure, Vec::new())
}
