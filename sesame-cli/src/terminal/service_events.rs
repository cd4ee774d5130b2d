//! The manager's events in a service, which runs for days.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use extension_manager::{Event, Events};

use super::events::TerminalEvents;
use super::warnings::Warnings;
use crate::context::Context;

/// The number of documents whose unknown keys are remembered. Beyond it they are named again.
const MAX_KNOWN: usize = 1_000;

/// Prints events on standard error, and unknown keys once for each text of them: a service reads
/// every manifest again whenever one changes.
pub struct ServiceEvents {
    shown: TerminalEvents,
    known: Mutex<HashSet<String>>,
}

impl ServiceEvents {
    /// Prints them as lines also with `--json`: a service ends without an object that could hold
    /// them.
    pub fn new(context: &Context) -> Self {
        let warnings = Warnings::new(context.terminal.clone(), context.global.quiet, false);
        let shown = TerminalEvents::with_warnings(context, warnings);
        Self { shown, known: Mutex::default() }
    }

    /// Tells whether this text is new.
    fn is_new(&self, text: String) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(text)
    }
}

impl Events for ServiceEvents {
    fn event(&self, event: Event<'_>) {
        if !matches!(event, Event::UnknownKeys(_)) || self.is_new(event.to_string()) {
            self.shown.event(event);
        }
    }
}
