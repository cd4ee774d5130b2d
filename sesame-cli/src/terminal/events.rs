//! Shows the manager's events to a person at a terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use extension_manager::{Event, Events, Note};

use super::progress::{DownloadBar, ProgressLine, Spinner};
use super::streams::Terminal;
use super::warnings::Warnings;
use crate::context::Context;

/// Prints events on standard error.
pub struct TerminalEvents {
    terminal: Terminal,
    warnings: Warnings,
    is_quiet: bool,
    is_verbose: bool,
    progress: ProgressLine,
    /// The line that shows the current work.
    spinner: Mutex<Option<Spinner>>,
    /// The bar of downloads.
    download: Mutex<Option<DownloadBar>>,
}

impl TerminalEvents {
    /// Prints them where the user of this command wants to see them.
    pub fn new(context: &Context) -> Self {
        Self {
            terminal: context.terminal.clone(),
            warnings: context.warnings.clone(),
            is_quiet: context.global.quiet,
            is_verbose: context.is_verbose(),
            progress: ProgressLine::new(context),
            spinner: Mutex::default(),
            download: Mutex::default(),
        }
    }

    fn show_spinner(&self, spinner: Option<Spinner>) {
        *self.spinner.lock().unwrap_or_else(PoisonError::into_inner) = spinner;
    }

    fn download(&self) -> MutexGuard<'_, Option<DownloadBar>> {
        self.download.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: &Note<'_>) {
        let is_wanted = if note.is_detail() { self.is_verbose } else { !self.is_quiet };
        if is_wanted {
            self.terminal.status(&note.to_string());
        }
    }
}

impl Events for TerminalEvents {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::CompileStarted(_) => {
                if self.is_verbose {
                    self.terminal.status(&event.to_string());
                }
                self.show_spinner(Some(self.progress.start("compiling".to_owned())));
            }
            Event::CompileEnded => self.show_spinner(None),
            Event::WaitStarted(wait) => {
                self.show_spinner(Some(self.progress.start(wait.to_string())))
            }
            Event::WaitEnded => self.show_spinner(None),
            Event::Downloading(progress) => {
                self.download()
                    .get_or_insert_with(|| DownloadBar::on(self.progress))
                    .update(progress);
            }
            Event::DownloadEnded => drop(self.download().take()),
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
