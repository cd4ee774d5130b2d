//! Warnings: lines on standard error for a person, a list in the object for a program.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use core_types::UnknownKey;

use super::streams::Terminal;

/// The number of unknown keys to name: a document can have a million, and a person reads a screen
/// at most.
pub const MAX_WARNINGS: usize = 20;

/// Takes the warnings of one command. Its clones share them.
#[derive(Debug, Clone)]
pub struct Warnings {
    terminal: Terminal,
    is_quiet: bool,
    /// Those that the object of `--json` will hold.
    kept: Option<Arc<Mutex<Vec<String>>>>,
}

impl Warnings {
    /// Keeps warnings for the object with `is_json`, else shows each at once unless the user wants
    /// quiet.
    pub fn new(terminal: Terminal, is_quiet: bool, is_json: bool) -> Self {
        Self { terminal, is_quiet, kept: is_json.then(Arc::default) }
    }

    /// Takes one warning.
    pub fn warn(&self, text: &str) {
        match &self.kept {
            Some(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned()),
            None => self.print(text),
        }
    }

    /// Warns of keys that do nothing, each with its document.
    pub fn warn_of_keys<'a>(
        &self,
        mut keys: impl ExactSizeIterator<Item = (impl Display, &'a UnknownKey)>,
    ) {
        for (place, key) in keys.by_ref().take(MAX_WARNINGS) {
            self.warn(&format!("`{place}`, {key}"));
        }
        if keys.len() > 0 {
            self.warn(&format!("{} more unknown keys do nothing", keys.len()));
        }
    }

    /// Shows the warnings that were kept where no object follows: the output is that of a program.
    pub fn show(&self) {
        self.take().iter().for_each(|text| self.print(text));
    }

    fn print(&self, text: &str) {
        if !self.is_quiet {
            self.terminal.status(&format!("warning: {text}"));
        }
    }

    /// Takes the warnings out that were kept, for the object that is written now.
    pub fn take(&self) -> Vec<String> {
        let take = |kept: &Arc<Mutex<Vec<String>>>| {
            std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.kept.as_ref().map(take).unwrap_or_default()
    }
}
