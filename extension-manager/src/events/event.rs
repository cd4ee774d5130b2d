//! What happens while a manager works, for whoever shows it.

use std::fmt;
use std::path::PathBuf;

use core_types::{ExtensionName, UnknownKey};
use extension_depot::registry::Progress;
use extension_depot::{ActivityError, NoteCallError, Quarantine};
use extension_host::{CacheError, IntoCacheError};

use super::error_line::with_causes;
use super::notice::{Note, Wait, Warning};

/// Takes the events of a manager. They come on the thread that does the work, which waits
/// meanwhile.
pub trait Events: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event<'_>);
}

/// Takes events and does nothing with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn event(&self, _: Event<'_>) {}
}

/// One event. Its text is a line for a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another process holds the lock, and is waited for.
    WaitingForLock,
    /// Keys that do nothing, each with its document.
    UnknownKeys(&'a [(PathBuf, UnknownKey)]),
    /// Something is waited for, and takes longer than a moment.
    WaitStarted(&'a Wait<'a>),
    /// It is not waited for any more.
    WaitEnded,
    /// The work on an extension has come to this phase.
    PhaseStarted {
        /// The extension.
        name: &'a ExtensionName,
        /// The phase.
        phase: Phase,
    },
    /// The download of an extension goes on.
    Downloading {
        /// The extension.
        name: &'a ExtensionName,
        /// How far it is.
        progress: Progress,
    },
    /// The work on an extension has ended, well or not.
    WorkEnded {
        /// The extension.
        name: &'a ExtensionName,
    },
    /// Something may be wrong.
    Warning(&'a Warning),
    /// Something that a person may want to know.
    Note(&'a Note<'a>),
    /// Code is compiled, because of this error of the cache.
    CompileStarted(&'a IntoCacheError),
    /// The compiler has ended, well or not.
    CompileEnded,
    /// Compiled code cannot be kept for the next call, because of this error of the cache.
    CodeNotKept(&'a IntoCacheError),
    /// A call was the last of too many failures: the extension is not called until its user enables
    /// it.
    Quarantined {
        /// The extension.
        name: ExtensionName,
        /// Why.
        quarantine: &'a Quarantine,
    },
    /// A call is missing in the activity log.
    CallNotLogged(&'a NoteCallError),
    /// A change that was made is missing in the activity log.
    ChangeNotLogged(&'a ActivityError),
    /// The output of a guest is missing in its log.
    OutputNotLogged {
        /// The log.
        path: PathBuf,
        /// Why.
        error: &'a std::io::Error,
    },
}

/// A phase of the work on one extension, in the order in which they come. Some are left out where
/// there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Its registry is asked for the version and its digest.
    Resolving,
    /// Its bytes come.
    Downloading,
    /// Its signature is looked for and verified.
    Verifying,
    /// Its code is compiled.
    Compiling,
    /// Its code is linked, and its requests are read.
    Examining,
    /// Its permissions are decided: a person may be asked now.
    Deciding,
    /// It is put into place.
    Installing,
}

impl Phase {
    /// Returns the phase in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolving => "resolving",
            Self::Downloading => "downloading",
            Self::Verifying => "verifying",
            Self::Compiling => "compiling",
            Self::Examining => "examining",
            Self::Deciding => "deciding",
            Self::Installing => "installing",
        }
    }
}

/// The work on one extension, which is reported as ended when this is dropped.
pub(crate) struct Work<'a> {
    events: &'a dyn Events,
    name: ExtensionName,
}

impl<'a> Work<'a> {
    /// Begins the work on an extension.
    pub(crate) fn on(name: &ExtensionName, events: &'a dyn Events) -> Self {
        Self { events, name: name.clone() }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.events.event(Event::WorkEnded { name: &self.name });
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitingForLock => f.write_str("waiting for another sesame to finish its change"),
            Self::UnknownKeys(keys) => {
                let lines: Vec<_> =
                    keys.iter().map(|(path, key)| format!("`{}`, {key}", path.display())).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::WaitStarted(wait) => wait.fmt(f),
            Self::WaitEnded => f.write_str("it has answered"),
            Self::PhaseStarted { name, phase } => write!(f, "{} `{name}`", phase.name()),
            Self::Downloading { name, .. } => write!(f, "downloading `{name}`"),
            Self::WorkEnded { name } => write!(f, "the work on `{name}` has ended"),
            Self::Warning(warning) => warning.fmt(f),
            Self::Note(note) => note.fmt(f),
            Self::CompileStarted(IntoCacheError::Cache(CacheError::Missing { .. })) => {
                f.write_str("compiling: there is no compiled code yet")
            }
            Self::CompileStarted(why) => write!(f, "compiling: {why}"),
            Self::CompileEnded => f.write_str("compiled"),
            Self::CodeNotKept(error) => write!(f, "compiled code is not kept: {error}"),
            Self::Quarantined { name, quarantine } => {
                write!(f, "`{name}` is quarantined: {quarantine}")
            }
            Self::CallNotLogged(error) => {
                write!(f, "this call is not in the activity log: {}", with_causes(*error))
            }
            Self::ChangeNotLogged(error) => {
                write!(f, "this change is not in the activity log: {}", with_causes(*error))
            }
            Self::OutputNotLogged { path, error } => {
                write!(f, "cannot write `{}`: {error}", path.display())
            }
        }
    }
}
