//! Failures of calls.

use std::borrow::Cow;
use std::path::Path;

use core_types::{ErrorKind, ExtensionName, Limit, LimitOrigin, Touch, grant_command, shell_word};
use extension_depot::Opened;
use extension_host::{CallError, ExportedFunction, Purpose, Returned};

use super::Failure;
use super::described::Message;
use super::help::{Explain, Help, Refused};
use super::host::directory_help;
use super::similar::similar_function;
use crate::exit_code::ExitCode;
use crate::terminal::escape_to_line;

impl Failure {
    /// Reports a call without a result, with its refusals. `stderr_tail` is the end of its standard
    /// error, which usually says why.
    pub fn of_call(
        opened: &Opened,
        error: CallError,
        stderr_tail: &[u8],
        refused: &[&Touch],
    ) -> Self {
        let name = &opened.installed.name;
        // Refusals are the likely cause of an error or a crash, and never of a limit.
        let is_limit = matches!(error, CallError::Limit(_));
        let help = call_help(name, &error, &opened.installed.loaded.path)
            .with_details(last_lines(stderr_tail));
        if is_limit {
            return Self::with_help(error, listing_refusals(help, name, refused));
        }
        Self::with_help(error, help).with_refusals(name, refused)
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
        if refused.is_empty() {
            return self;
        }
        self.map_help(|help| {
            let mut help = listing_refusals(help, name, refused);
            if matches!(help.code, ExitCode::Failed(ErrorKind::Failure | ErrorKind::Limit)) {
                help.code = ErrorKind::Refused.into();
            }
            match refused.iter().find_map(|touch| touch.grant()) {
                Some(grant) => help.with_first_hint(grant_command(name, [grant.as_str()])),
                None => help,
            }
        })
    }

    /// Adds the missing directories that a call looked for.
    pub fn with_missing(self, directories: &[String]) -> Self {
        let line = |path: &String| format!("the directory `{path}` does not exist");
        self.with_details(directories.iter().map(line))
    }

    /// Reports a call without a function.
    pub fn without_function(
        name: &ExtensionName,
        exports: &[ExportedFunction],
        purpose: Purpose,
    ) -> Self {
        let program = format!("it is a program: sesame extension run {name}");
        let is_program = purpose == Purpose::Program;
        let help = Help::new(ErrorKind::Usage).with_hints(is_program.then_some(program));
        if exports.is_empty() {
            let none = match purpose {
                Purpose::Unnamed => format!("a call can name none of the functions of `{name}`"),
                _ => format!("`{name}` exports no functions"),
            };
            return Self::with_help(Message(none), help);
        }
        let help =
            listing(help, "these can be called:", exports).with_hints(first_example(name, exports));
        Self::with_help(Message(format!("name the function of `{name}` to call")), help)
    }
}

fn call_help(name: &ExtensionName, error: &CallError, limits_file: &Path) -> Help {
    let logs = || format!("sesame extension logs {name}");
    let functions = || format!("see its functions: sesame extension info {name}");
    match error {
        CallError::NoSuchFunction { name: wanted, exports } => {
            no_such_function(name, wanted, exports)
        }
        CallError::Ambiguous { candidates, .. } => {
            listing(Help::new(ErrorKind::NotFound), "these have the name:", candidates)
                .with_hints(first_example(name, candidates))
        }
        CallError::Argument(_) | CallError::Uncallable { .. } => {
            Help::new(ErrorKind::Usage).with_hint(format!("sesame extension info {name}"))
        }
        CallError::Directory(error) => directory_help(name, error),
        CallError::NotWoken(refusal) => {
            let grant = grant_command(name, [format!("events={}", refusal.event).as_str()]);
            Help::new(ErrorKind::Refused).with_hints((!refusal.is_by_policy).then_some(grant))
        }
        CallError::NoEvents => Help::new(ErrorKind::Usage).with_hint(functions()),
        CallError::Limit(exceeded) => {
            Help::new(ErrorKind::Limit).with_hints(limit_hint(&exceeded.limit, limits_file))
        }
        CallError::AddressSpace(error) => error.help(),
        CallError::Trap { .. } | CallError::Fault(_) => {
            Help::new(ErrorKind::Limit).with_hint(logs())
        }
        CallError::NoProgram | CallError::NoWorkloads => {
            Help::new(ErrorKind::Usage).with_hint(functions())
        }
        CallError::Storage(_) => {
            Help::new(ErrorKind::Local).with_hint(format!("sesame extension storage {name}"))
        }
        CallError::OutputClosed => Help::new(ErrorKind::Failure),
        CallError::Exited { .. } => Help::new(ErrorKind::Failure).with_hint(logs()),
        CallError::Other(_) => Help::new(ErrorKind::Limit),
    }
}

/// Lists the functions that there are, and puts the most similar one first.
fn no_such_function(name: &ExtensionName, wanted: &str, exports: &[ExportedFunction]) -> Help {
    let similar = similar_function(wanted, exports);
    let question = similar.map(|similar| format!("did you mean `{}`?", similar.name));
    let help = Help::new(ErrorKind::NotFound).with_details(question);
    let example = match similar {
        Some(similar) => Some(example_of(name, similar, exports)),
        None => first_example(name, exports),
    };
    listing(help, "these can be called:", exports).with_hints(example)
}

/// Adds refusals without a word on the cause.
fn listing_refusals(mut help: Help, name: &ExtensionName, refused: &[&Touch]) -> Help {
    help.details.splice(0..0, refused.iter().map(|touch| refusal(name, touch)));
    help.refused = refused.iter().map(|touch| Refused::from(*touch)).collect();
    help
}

/// Lists the callable functions under this title, and the others apart with the reason.
fn listing(mut help: Help, title: &str, functions: &[ExportedFunction]) -> Help {
    let (callable, others): (Vec<_>, Vec<_>) =
        functions.iter().partition(|function| function.is_callable());
    if !callable.is_empty() {
        help.details.push(title.to_owned());
        help.details.extend(callable.iter().map(|function| format!("  {function}")));
    }
    if !others.is_empty() {
        help.details.push("these cannot be called:".to_owned());
        let reason =
            |function: &ExportedFunction| function.uncallable.as_ref().map(ToString::to_string);
        let line = |function: &&ExportedFunction| {
            format!("  {function}: {}", reason(function).unwrap_or_default())
        };
        help.details.extend(others.iter().map(line));
    }
    help
}

/// Returns a call of the first function that can be called.
fn first_example(name: &ExtensionName, functions: &[ExportedFunction]) -> Option<String> {
    let first = functions.iter().find(|function| function.is_callable())?;
    Some(example_of(name, first, functions))
}

/// Returns the complete line of a call to this function, one of `all`.
fn example_of(
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

/// The bytes of these lines as they are shown. Escaping makes up to eleven bytes of a control
/// character, after the limit on the kept end of standard error.
const MAX_STDERR_BYTES: usize = 2 << 10;

/// Returns the last lines of a guest, indented so that none looks like a line of ours.
fn last_lines(stderr_tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr_tail);
    let mut room = MAX_STDERR_BYTES;
    let mut last = Vec::new();
    for line in text.lines().rev().filter(|line| !line.trim().is_empty()).take(MAX_STDERR_LINES) {
        let shown = escape_to_line(line);
        let Some(kept) = end_of(&shown, room) else { break };
        last.push(format!("  {kept}"));
        // Nothing comes before a line that was cut.
        room = if kept == shown { room - kept.len() } else { 0 };
    }
    if !last.is_empty() {
        last.push("the last lines of its stderr:".to_owned());
    }
    last.reverse();
    last
}

/// Returns as much of the end of a text as fits into this many bytes, and says where it was cut.
fn end_of(text: &str, bytes: usize) -> Option<Cow<'_, str>> {
    if text.len() <= bytes {
        return Some(text.into());
    }
    let kept = bytes.checked_sub('…'.len_utf8()).filter(|kept| *kept > 0)?;
    let from = text.ceil_char_boundary(text.len() - kept);
    Some(format!("…{}", &text[from..]).into())
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
        LimitOrigin::Caller => return None,
        _ => format!("raise `{key}` under [limits] in `{}`", manifest.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_few_and_short() {
        let shown = |text: &str| last_lines(text.as_bytes());
        assert!(shown("").is_empty() && shown("\n \n").is_empty());
        assert_eq!(shown("one\n\ntwo\n"), ["the last lines of its stderr:", "  one", "  two"]);
        assert_eq!(shown(&"x\n".repeat(20)).len(), 1 + MAX_STDERR_LINES);
        for long in ["\u{1b}".repeat(2_000), "é".repeat(2_000), "\u{1b}\n".repeat(300)] {
            let lines = shown(&format!("before\n{long}end\n"));
            let bytes: usize = lines[1..].iter().map(|line| line.len() - 2).sum();
            assert!(
                bytes <= MAX_STDERR_BYTES && lines.last().is_some_and(|it| it.ends_with("end"))
            );
        }
        assert_eq!(shown(&format!("before\n{}", "x".repeat(5_000))).len(), 2);
    }
}
