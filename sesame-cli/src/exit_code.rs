//! The exit codes of the binary: those of the kinds of errors, and what is no error.

use std::fmt::Write;

use core_types::ErrorKind;

/// What the shell is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or already so.
    Done,
    /// An error of this kind.
    Failed(ErrorKind),
    /// The status of a program under `run`, passed on as it is.
    Passed(u8),
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failed(kind) => i32::from(kind.code()),
            Self::Passed(status) => i32::from(status),
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(kind) => kind.name(),
            Self::Passed(_) => "program",
        }
    }
}

impl From<ErrorKind> for ExitCode {
    fn from(kind: ErrorKind) -> Self {
        Self::Failed(kind)
    }
}

/// The codes and their meanings: of success, of each kind of error, and of Ctrl-C, which is 128 and
/// the number of the signal.
pub fn meanings() -> impl Iterator<Item = (u8, &'static str)> {
    let kinds = ErrorKind::all().map(|kind| (kind.code(), kind.meaning()));
    std::iter::once((0, "done, or already so")).chain(kinds).chain([(130, "interrupted")])
}

/// The table at the end of `--help`.
pub fn table() -> String {
    let mut table = "Exit codes:\n".to_owned();
    for (code, meaning) in meanings() {
        let _ = writeln!(table, "  {code:<5}{meaning}");
    }
    table + "`run` passes the exit status of the program on."
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README has the same table.
    #[test]
    fn readme_lists_the_codes() {
        let readme = include_str!("../../README.md");
        for (code, meaning) in meanings() {
            let row = format!("| {code} | {meaning} |");
            assert!(readme.contains(&row), "{row}");
        }
    }
}
