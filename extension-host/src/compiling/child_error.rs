//! Why a compiling child made no code, from its exit status and its last words.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::limits::{CompilerLimit, CompilerLimits};

/// The exit code of a child whose compiler refused the binary.
pub(crate) const REFUSED: i32 = 1;
/// The exit code of a child that cannot read its input. This and the next three are none that a
/// shell or a panic uses.
pub(crate) const INPUT: i32 = 9;
/// The exit code of a child that cannot write its output.
pub(crate) const OUTPUT: i32 = 10;
/// The exit code of a child whose request for memory was refused, and which could still report it.
pub(crate) const MEMORY: i32 = 11;
/// The exit code of a child whose module cannot become the component that it is meant to be.
pub(crate) const NOT_COMPONENT: i32 = 12;

/// The text that Rust's runtime writes before it aborts a process without memory.
const NO_MEMORY: &str = "memory allocation of ";
/// The maximum of a child's words in characters: they may quote names from the binary, which are
/// any text.
const MAX_CHARS: usize = 1000;

/// Why compiling in a child process failed.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The child could not be started.
    #[error("cannot start the compiler `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It took too much time.
    #[error("compiling took more than {} and was stopped", limit.as_time())]
    TooLong {
        /// The limit in seconds.
        limit: CompilerLimit,
    },
    /// It needs too much memory.
    #[error("compiling needs more than {}", limit.as_memory())]
    OutOfMemory {
        /// The limit in bytes.
        limit: CompilerLimit,
    },
    /// Another process or the kernel killed it, and not for its limits.
    #[error("the compiler was killed from outside by signal {signal}: {}", likely_killer(*signal))]
    Killed {
        /// The signal.
        signal: i32,
    },
    /// It crashed.
    #[error("the compiler crashed ({how}){}", after_colon(last_line))]
    Crashed {
        /// The signal or the exit code.
        how: String,
        /// The last line of its standard error.
        last_line: String,
    },
    /// The file does not exist or does not have its digest.
    #[error("the binary is missing or damaged: {message}")]
    Input {
        /// The reason.
        message: String,
    },
    /// The compiled code cannot be written.
    #[error("compiled code cannot be written: {message}")]
    Output {
        /// The error of the system.
        message: String,
    },
    /// A module describes a component that it cannot become.
    #[error("cannot compile the extension: {message}")]
    NotComponent {
        /// The words of the encoder.
        message: String,
    },
    /// The compiler refused the code.
    #[error("cannot compile the extension: {message}")]
    Refused {
        /// The words of the compiler.
        message: String,
    },
}

impl CompileError {
    /// Tells how a child under these limits failed.
    pub(crate) fn of_child(status: ExitStatus, stderr: &[u8], limits: &CompilerLimits) -> Self {
        let stderr = String::from_utf8_lossy(stderr);
        if stderr.lines().any(|line| line.starts_with(NO_MEMORY)) {
            return Self::OutOfMemory { limit: limits.bytes };
        }
        match status.signal() {
            Some(signal) => Self::of_signal(signal, &stderr, limits),
            None => Self::of_code(status.code().unwrap_or_default(), &stderr, limits),
        }
    }

    fn of_signal(signal: i32, stderr: &str, limits: &CompilerLimits) -> Self {
        match Signal::from_named_raw(signal) {
            Some(Signal::XCPU) => Self::TooLong { limit: limits.seconds },
            Some(Signal::KILL) if limits.kills_at_time_limit() => {
                Self::TooLong { limit: limits.seconds }
            }
            Some(Signal::KILL | Signal::TERM | Signal::INT | Signal::HUP | Signal::QUIT) => {
                Self::Killed { signal }
            }
            _ => Self::Crashed { how: format!("signal {signal}"), last_line: last_line(stderr) },
        }
    }

    fn of_code(code: i32, stderr: &str, limits: &CompilerLimits) -> Self {
        let message = shown(stderr.trim());
        match code {
            REFUSED => Self::Refused { message },
            INPUT => Self::Input { message },
            OUTPUT => Self::Output { message },
            MEMORY => Self::OutOfMemory { limit: limits.bytes },
            NOT_COMPONENT => Self::NotComponent { message },
            code => {
                Self::Crashed { how: format!("exit code {code}"), last_line: last_line(stderr) }
            }
        }
    }
}

fn likely_killer(signal: i32) -> &'static str {
    if signal == Signal::KILL.as_raw() {
        "most likely the kernel's out-of-memory killer (`journalctl -k` says so), else a person or a supervisor"
    } else {
        "most likely a person, or the end of the session"
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Returns the last line with a reason in it: the runtime ends with a note on how to see more.
fn last_line(stderr: &str) -> String {
    let last =
        stderr.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with("note: "));
    shown(last.unwrap_or_default())
}

/// Puts a text on one line.
fn shown(text: &str) -> String {
    text.replace(char::is_control, " ").chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(raw_status: i32, stderr: &str) -> String {
        CompileError::of_child(
            ExitStatus::from_raw(raw_status),
            stderr.as_bytes(),
            &CompilerLimits::here(),
        )
        .to_string()
    }

    /// Each end of a child has its own words. The low bits of a status are the signal, the next
    /// eight the exit code.
    #[test]
    fn child_error_names_true_cause() {
        insta::assert_snapshot!(error_of(24, ""), @"compiling took more than 300 seconds of processor time and was stopped");
        insta::assert_snapshot!(error_of(6, "memory allocation of 67108864 bytes failed\n"), @"compiling needs more than 2048 MiB of memory");
        insta::assert_snapshot!(error_of(11 << 8, "out of memory"), @"compiling needs more than 2048 MiB of memory");
        insta::assert_snapshot!(error_of(9, ""), @"the compiler was killed from outside by signal 9: most likely the kernel's out-of-memory killer (`journalctl -k` says so), else a person or a supervisor");
        insta::assert_snapshot!(error_of(15, ""), @"the compiler was killed from outside by signal 15: most likely a person, or the end of the session");
        insta::assert_snapshot!(error_of(6, "\nthread 'main' panicked at src/x.rs:1:2:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n"), @"the compiler crashed (signal 6): index out of bounds");
        insta::assert_snapshot!(error_of(11, ""), @"the compiler crashed (signal 11)");
        insta::assert_snapshot!(error_of(101 << 8, "a\u{1b}[31m"), @"the compiler crashed (exit code 101): a [31m");
        insta::assert_snapshot!(error_of(1 << 8, "it is\nwrong\n"), @"cannot compile the extension: it is wrong");
        let status = ExitStatus::from_raw(12 << 8);
        let error = CompileError::of_child(status, b"no\n", &CompilerLimits::here());
        assert!(matches!(error, CompileError::NotComponent { message } if message == "no"));
    }
}
