//! Failures of calls.

use std::path::Path;

use core_types::{ErrorKind, ExtensionName, Limit, LimitOrigin, Touch};
use extension_depot::Opened;
use extension_host::{CallError, ExportedFunction, Returned};

use super::{Failure, Refused};
use crate::exit_code::ExitCode;
use crate::terminal::{escape_to_line, shell_word};

impl Failure {
    /// Reports a call without a result, with its refusals. `stderr_tail` is the end of its standard
    /// error, which usually says why.
    pub fn of_call(
        opened: &Opened,
        error: &CallError,
        stderr_tail: &[u8],
        refused: &[&Touch],
    ) -> Self {
        let (name, limits_file) = (&opened.installed.name, &opened.installed.loaded.path);
        let mut failure = Self::of_call_error(name, error, limits_file);
        failure.details.extend(last_lines(stderr_tail));
        match error {
            // Refusals are the likely cause of an error or a crash, and never of a limit.
            CallError::Limit(_) => failure.listing_refusals(name, refused),
            _ => failure.with_refusals(name, refused),
        }
    }

    fn of_call_error(name: &ExtensionName, error: &CallError, limits_file: &Path) -> Self {
        match error {
            CallError::NoSuchFunction { name: wanted, exports } => {
                Self::new(ErrorKind::NotFound, error)
                    .listing("these can be called:", name, exports)
                    .or_similar_function(name, wanted, exports)
            }
            CallError::Ambiguous { candidates, .. } => Self::new(ErrorKind::NotFound, error)
                .listing("these have the name:", name, candidates),
            CallError::Argument(_) | CallError::Uncallable { .. } => {
                Self::new(ErrorKind::Usage, error)
                    .with_hint(format!("sesame extension info {name}"))
            }
            CallError::Directory(error) => Self::of_directory(name, error),
            CallError::Limit(exceeded) => {
                let hint = limit_hint(&exceeded.limit, limits_file);
                Self::new(ErrorKind::Limit, error).with_optional_hint(hint)
            }
            CallError::AddressSpace(error) => error.into(),
            CallError::Trap { .. } => Self::new(ErrorKind::Limit, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::Fault(_) => Self::new(ErrorKind::Limit, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::NoProgram => Self::new(ErrorKind::Usage, error)
                .with_hint(format!("see its functions: sesame extension info {name}")),
            CallError::OutputClosed => Self::new(ErrorKind::Failure, error),
            CallError::NoWorkloads => Self::new(ErrorKind::Usage, error)
                .with_hint(format!("see its functions: sesame extension info {name}")),
            CallError::Exited { .. } => Self::new(ErrorKind::Failure, error)
                .with_hint(format!("sesame extension logs {name}")),
            CallError::Other(_) => Self::new(ErrorKind::Limit, error),
        }
    }

    /// Reports an error that the extension returned.
    pub fn returned_error(returned: &Returned) -> Self {
        let text = escape_to_line(&returned.to_text());
        let colon = if text.is_empty() { "" } else { ": " };
        Self::message(ErrorKind::Failure, format!("the extension returned an error{colon}{text}"))
    }

    /// Reports that the reader of a call's result is gone.
    pub fn unread_output() -> Self {
        let message = "the result is not written: the reader of standard output took nothing for \
                       the time that a call has (`timeout_ms`)";
        Self::message(ErrorKind::Limit, message)
            .with_hint("write it to a file, by `> FILE` behind the command")
    }

    /// Adds refusals that are the likely cause of the failure.
    pub fn with_refusals(self, name: &ExtensionName, refused: &[&Touch]) -> Self {
        let mut failure = self.listing_refusals(name, refused);
        if refused.is_empty() {
            return failure;
        }
        if matches!(failure.code, ExitCode::Failed(ErrorKind::Failure | ErrorKind::Limit)) {
            failure.code = ErrorKind::Refused.into();
        }
        match refused.iter().find_map(|touch| touch.grant()) {
            Some(grant) => failure.with_hint(format!("sesame extension grant {name} {grant}")),
            None => failure,
        }
    }

    /// Adds refusals without a word on the cause.
    fn listing_refusals(mut self, name: &ExtensionName, refused: &[&Touch]) -> Self {
        self.details.splice(0..0, refused.iter().map(|touch| refusal(name, touch)));
        self.about.refused = refused.iter().map(|touch| Refused::from(*touch)).collect();
        self
    }

    /// Adds the missing directories that a call looked for.
    pub fn with_missing(mut self, directories: &[String]) -> Self {
        self.details.extend(
            directories.iter().map(|path| format!("the directory `{path}` does not exist")),
        );
        self
    }

    /// Lists the callable functions under this title, and the others apart with the reason.
    fn listing(
        mut self,
        title: &str,
        name: &ExtensionName,
        functions: &[ExportedFunction],
    ) -> Self {
        let (callable, others): (Vec<_>, Vec<_>) =
            functions.iter().partition(|function| function.is_callable());
        if !callable.is_empty() || others.is_empty() {
            self.details.push(title.to_owned());
            self.details.extend(callable.iter().map(|function| format!("  {function}")));
        }
        if !others.is_empty() {
            self.details.push("these cannot be called:".to_owned());
            let reason =
                |function: &ExportedFunction| function.uncallable.as_ref().map(ToString::to_string);
            let line = |function: &&ExportedFunction| {
                format!("  {function}: {}", reason(function).unwrap_or_default())
            };
            self.details.extend(others.iter().map(line));
        }
        let example = callable.first().map(|function| example_of(name, function, functions));
        self.with_optional_hint(example)
    }

    /// Reports a call without a function.
    pub fn without_function(
        name: &ExtensionName,
        exports: &[ExportedFunction],
        is_program: bool,
    ) -> Self {
        let failure = if exports.is_empty() {
            Self::message(ErrorKind::Usage, format!("`{name}` exports no functions"))
        } else {
            Self::message(ErrorKind::Usage, format!("name the function of `{name}` to call"))
                .listing("these can be called:", name, exports)
        };
        if is_program {
            failure.with_hint(format!("it is a program: sesame extension run {name}"))
        } else {
            failure
        }
    }
}

/// Returns the complete line of a call to this function, one of `all`.
pub(super) fn example_of(
    name: &ExtensionName,
    function: &ExportedFunction,
    all: &[ExportedFunction],
) -> String {
    let is_only = all.iter().filter(|other| other.name == function.name).count() == 1;
    let called = if is_only { function.name.clone() } else { function.qualified_name() };
    let words = std::iter::once(called).chain(function.example_words());
    let words: Vec<_> = words.map(|word| shell_word(&word)).collect();
    format!("sesame extension call {name} {}", words.join(" "))
}

/// The number of lines of a guest's standard error in a message: enough for the end of a panic, and
/// within one screen.
const MAX_STDERR_LINES: usize = 10;

/// Returns the last lines of a guest, indented so that none looks like a line of ours.
fn last_lines(stderr_tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr_tail);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let last = &lines[lines.len().saturating_sub(MAX_STDERR_LINES)..];
    let shown = last.iter().map(|line| format!("  {}", escape_to_line(line)));
    std::iter::once("the last lines of its stderr:".to_owned()).chain(shown).collect()
}

/// Describes a refusal and its reason.
pub fn refusal(name: &ExtensionName, touch: &Touch) -> String {
    let rule = touch.refusal.as_ref().map_or("not granted".to_owned(), ToString::to_string);
    format!("`{name}` may not use {}: {rule}", touch.request)
}

/// Returns the key and file by which a limit can be raised.
fn limit_hint(limit: &Limit, manifest: &Path) -> Option<String> {
    let key = limit.name.key()?;
    Some(match &limit.origin {
        LimitOrigin::Policy(policy) => {
            format!("`{key}` in the policy `{}` is the highest value allowed", policy.display())
        }
        _ => format!("raise `{key}` under [limits] in `{}`", manifest.display()),
    })
}
