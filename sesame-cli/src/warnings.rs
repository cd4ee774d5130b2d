//! Warnings: lines on standard error for a person, a list in the object for a program.

use std::sync::{Arc, Mutex, PoisonError};

use crate::terminal::Terminal;

/// Takes the warnings of one command. Its clones share them.
#[derive(Debug, Clone)]
pub struct Warnings {
    terminal: Terminal,
    is_quiet: bool,
    /// Those that the object of `--json` will hold.
    kept: Option<Arc<Mutex<Vec<String>>>>,
}

impl Warnings {
    /// Keeps warnings for the object with `is_json`, else shows each at once unless the user wants quiet.
    pub fn new(terminal: Terminal, is_quiet: bool, is_json: bool) -> Self {
        Self { terminal, is_quiet, kept: is_json.then(Arc::default) }
    }

    /// Takes one warning.
    pub fn warn(&self, text: &str) {
        match &self.kept {
            Some(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned()),
            None if !self.is_quiet => self.terminal.note(&format!("warning: {text}")),
            None => {}
        }
    }

    /// Shows the warnings that were kept where no object follows: the output is that of a program.
    pub fn show(&self) {
        for text in self.take() {
            self.terminal.note(&format!("warning: {text}"));
        }
    }

    /// Takes the warnings out that were kept, for the object that is written now.
    pub fn take(&self) -> Vec<String> {
        let take =
            |kept: &Arc<Mutex<Vec<String>>>| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        self.kept.as_ref().map(take).unwrap_or_default()
    }
}
