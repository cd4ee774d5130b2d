//! The kinds of errors, with the exit code of each.

use std::fmt;

/// The kind of error that ended a command, by which scripts decide. The numbers are the exit codes
/// of `sesame` and never change their meaning; a guest cannot choose 5, 6 or 9, except as a program
/// under `run`, whose status is passed on.
///
/// ```
/// use core_types::ErrorKind;
///
/// assert_eq!(ErrorKind::Refused.code(), 5);
/// assert_eq!(ErrorKind::Refused.to_string(), "refused");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A failure without a kind of its own, or the extension returned an error.
    Failure,
    /// The command line is wrong.
    Usage,
    /// The extension, function or artifact does not exist.
    NotFound,
    /// A registry wants another login.
    Authentication,
    /// A capability or a policy refuses.
    Refused,
    /// A digest or signature is wrong.
    Untrusted,
    /// A limit was exceeded, or the extension crashed.
    Limit,
    /// The registry or the network fails, or sesame is offline.
    Network,
    /// Another sesame is at work, a file cannot be read or written, or the state on disk is
    /// damaged.
    Local,
}

/// A row of the table of exit codes.
struct Row {
    kind: ErrorKind,
    code: u8,
    name: &'static str,
    meaning: &'static str,
}

const fn row(kind: ErrorKind, code: u8, name: &'static str, meaning: &'static str) -> Row {
    Row { kind, code, name, meaning }
}

/// Every kind, in the order of the codes.
const ROWS: [Row; 9] = [
    row(ErrorKind::Failure, 1, "failure", "failure, or the extension returned an error"),
    row(ErrorKind::Usage, 2, "usage", "wrong command line"),
    row(ErrorKind::NotFound, 3, "not-found", "not found: extension, function, artifact"),
    row(ErrorKind::Authentication, 4, "authentication", "authentication"),
    row(ErrorKind::Refused, 5, "refused", "refused by a capability or policy"),
    row(ErrorKind::Untrusted, 6, "untrusted", "wrong digest or signature"),
    row(ErrorKind::Limit, 7, "limit", "limit exceeded, or the extension crashed"),
    row(ErrorKind::Network, 8, "network", "registry, network, or offline"),
    row(ErrorKind::Local, 9, "local", "busy, local files, damaged state"),
];

impl ErrorKind {
    /// Returns every kind, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.kind)
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Returns the exit code.
    pub fn code(self) -> u8 {
        self.row().code
    }

    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns its meaning in a few words.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind finds its own row, and the codes count up from 1.
    #[test]
    fn rows_stand_in_order() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!((row.kind as usize, usize::from(row.code)), (at, at + 1));
            assert_eq!(row.kind.code(), row.code);
        }
    }
}
