//! Shows the manager's events to a person at a terminal.

use extension_manager::{Event, Events, Note};

use super::progress::ProgressLines;
use super::streams::Terminal;
use super::warnings::Warnings;
use crate::context::Context;

/// Prints events on standard error.
pub struct TerminalEvents {
    terminal: Terminal,
    warnings: Warnings,
    is_quiet: bool,
    is_verbose: bool,
    progress: ProgressLines,
}

impl TerminalEvents {
    /// Prints them where the user of this command wants to see them.
    pub fn new(context: &Context) -> Self {
        Self::with_warnings(context, context.warnings.clone())
    }

    /// Prints them so, with warnings of their own.
    pub fn with_warnings(context: &Context, warnings: Warnings) -> Self {
        Self {
            terminal: context.terminal.clone(),
            warnings,
            is_quiet: context.global.quiet,
            is_verbose: context.is_verbose(),
            progress: context.progress.clone(),
        }
    }

    fn note(&self, note: &Note<'_>) {
        let is_wanted = if note.is_detail() { self.is_verbose } else { !self.is_quiet };
        if is_wanted {
            self.terminal.status(&note.to_string());
        }
    }

    /// Prints a line for a person, above the lines of the progress.
    fn print(&self, event: &Event<'_>) {
        match event {
            Event::CompileStarted(_) if self.is_verbose => self.terminal.status(&event.to_string()),
            Event::CompileStarted(_) => {}
            Event::Note(note) => self.note(note),
            Event::WaitingForLock if self.is_quiet => {}
            Event::WaitingForLock => self.terminal.status(&event.to_string()),
            Event::UnknownKeys(keys) => {
                self.warnings.warn_of_keys(keys.iter().map(|(path, key)| (path.display(), key)));
            }
            other => self.warnings.warn(&other.to_string()),
        }
    }
}

impl Events for TerminalEvents {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::PhaseStarted { name, phase } => self.progress.phase(name, phase),
            Event::Downloading { name, progress } => self.progress.download(name, progress),
            Event::WorkEnded { name } => self.progress.end(name),
            Event::WaitStarted(wait) => self.progress.wait(&wait.to_string()),
            Event::WaitEnded | Event::CompileEnded => self.progress.end_wait(),
            Event::CompileStarted(_) => {
                self.progress.above(|| self.print(&event));
                self.progress.wait("compiling");
            }
            other => self.progress.above(|| self.print(&other)),
        }
    }
}
