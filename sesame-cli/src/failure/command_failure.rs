//! A failure: an error with the help for it.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use core_types::plain_message;

use super::described::{BoxedError, Caused, InFile, Message};
use super::help::{Explain, Help, Refused};
use crate::exit_code::ExitCode;
use crate::terminal::first_line;

/// A failure of a command: the error as it is, and the help for it. Text is made of it when it is
/// shown. Its `Display` is the message without the causes.
#[derive(Debug)]
pub struct Failure {
    error: BoxedError,
    /// Boxed, since a failure is passed through many hands.
    help: Box<Help>,
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let help = error.help();
        Self::with_help(error, help)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Failure {
    /// Makes a failure of an error without further help.
    pub fn new(code: impl Into<ExitCode>, error: impl Into<BoxedError>) -> Self {
        Self::with_help(error, Help::new(code))
    }

    /// Makes a failure of an error and the help for it.
    pub fn with_help(error: impl Into<BoxedError>, help: Help) -> Self {
        Self { error: error.into(), help: Box::new(help) }
    }

    /// Makes a failure of words.
    pub fn message(code: impl Into<ExitCode>, message: impl Into<String>) -> Self {
        Self::new(code, Message(message.into()))
    }

    /// Adds the cause of the failure.
    pub fn caused_by(self, cause: impl Into<BoxedError>) -> Self {
        let error = Box::new(Caused { what: self.error, cause: cause.into() });
        Self { error, ..self }
    }

    /// Adds the file that the failure is about.
    pub fn in_file(self, path: &Path) -> Self {
        Self { error: Box::new(InFile::new(path, self.error)), ..self }
    }

    /// Changes the help.
    pub fn map_help(self, map: impl FnOnce(Help) -> Help) -> Self {
        Self { help: Box::new(map(*self.help)), ..self }
    }

    /// Adds a detail.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        self.map_help(|help| help.with_detail(detail))
    }

    /// Adds details.
    pub fn with_details(self, details: impl IntoIterator<Item = String>) -> Self {
        self.map_help(|help| help.with_details(details))
    }

    /// Adds a hint behind those that are there.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.map_help(|help| help.with_hint(hint))
    }

    /// Adds a hint before those that are there.
    pub fn with_first_hint(self, hint: impl Into<String>) -> Self {
        self.map_help(|help| help.with_first_hint(hint))
    }

    /// Returns the exit code.
    pub fn code(&self) -> ExitCode {
        self.help.code
    }

    /// Returns the reasons, from the outside in.
    pub fn causes(&self) -> Vec<String> {
        causes(&*self.error)
    }

    /// Returns further lines, such as the functions that can be called.
    pub fn details(&self) -> &[String] {
        &self.help.details
    }

    /// Returns commands or actions that help, the most helpful first.
    pub fn hints(&self) -> &[String] {
        &self.help.hints
    }

    /// Returns the refused or denied permissions.
    pub fn refused(&self) -> &[Refused] {
        &self.help.refused
    }

    /// Returns the unknown extension that the failure is about.
    pub(super) fn unknown(&self) -> Option<&core_types::ExtensionName> {
        self.help.unknown.as_ref()
    }

    /// Returns the most helpful hint, for places that have one.
    pub fn into_hint(self) -> Option<String> {
        self.help.hints.into_iter().next()
    }

    /// Returns the message with its causes, for places that have one line.
    pub fn in_one_line(&self) -> String {
        in_one_line(&*self.error)
    }
}

/// Returns the causes of an error, from the outside in.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = plain_message(&error.to_string());
        // Wrappers of libraries repeat the message of the wrapped error.
        if causes.last() != Some(&reason) {
            causes.push(reason);
        }
        cause = error.source();
    }
    causes
}

/// Returns an error with its causes, for places that have one line.
pub fn in_one_line(error: &(dyn Error + 'static)) -> String {
    std::iter::once(error.to_string())
        .chain(causes(error))
        .map(|text| first_line(&text))
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use core_types::ErrorKind;

    use super::*;

    /// The error is kept as it is, and its text is made of it at the end.
    #[test]
    fn failure_keeps_error_and_causes() {
        let inner = std::io::Error::other("the disk is gone");
        let failure = Failure::message(ErrorKind::Local, "cannot write").caused_by(inner);
        let failure = failure.in_file(Path::new("a.toml")).with_hint("one").with_first_hint("two");
        assert_eq!(failure.to_string(), "`a.toml`: cannot write");
        assert_eq!(failure.causes(), ["the disk is gone"]);
        assert_eq!(failure.hints(), ["two", "one"]);
        assert_eq!(failure.in_one_line(), "`a.toml`: cannot write: the disk is gone");
    }
}
