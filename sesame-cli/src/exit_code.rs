//! The exit codes of the binary: one for each kind of error, and those without an error.

use std::fmt::Write;

use core_types::ErrorKind;

/// The result for the shell.
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
    /// Returns the number.
    pub fn number(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failed(kind) => i32::from(kind.code()),
            Self::Passed(status) => i32::from(status),
        }
    }

    /// Returns the name in JSON.
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

/// Returns the codes and their meanings: success, each kind of error, and Ctrl-C, which is 128 and
/// the number of the signal.
pub fn meanings() -> impl Iterator<Item = (u8, &'static str)> {
    let kinds = ErrorKind::all().map(|kind| (kind.code(), kind.meaning()));
    std::iter::once((0, "done, or already so")).chain(kinds).chain([(130, "interrupted")])
}

/// Returns the table at the end of `--help`.
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

    /// The book has the same table.
    #[test]
    fn book_lists_the_codes() {
        let page = include_str!("../../docs/reference/exit-codes.md");
        for (code, meaning) in meanings() {
            let row = format!("| {code} | {meaning} |");
            assert!(page.contains(&row), "{row}");
        }
    }
}
