//! The exit codes, in one place.

/// What the shell is told. A guest cannot choose 5, 6 or 9, but as a program under `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or already so.
    Done,
    /// A failure that has no code of its own, or the guest returned an error.
    Failure,
    /// The command line is wrong. `clap` uses the same.
    Usage,
    /// There is no such extension, function or artifact.
    NotFound,
    /// The registry does not let us in.
    Authentication,
    /// A capability or a policy refuses.
    Refused,
    /// A digest or signature is wrong.
    Untrusted,
    /// A limit was exceeded, or the guest crashed.
    Limit,
    /// The registry or the network fails, or sesame is offline.
    Network,
    /// Another sesame is at work, a file cannot be read or written, or what is on disk is damaged.
    Local,
    /// The status of a program under `run`, passed on as it is.
    Passed(u8),
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Authentication => 4,
            Self::Refused => 5,
            Self::Untrusted => 6,
            Self::Limit => 7,
            Self::Network => 8,
            Self::Local => 9,
            Self::Passed(status) => i32::from(status),
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::Authentication => "authentication",
            Self::Refused => "refused",
            Self::Untrusted => "untrusted",
            Self::Limit => "limit",
            Self::Network => "network",
            Self::Local => "local",
            Self::Passed(_) => "program",
        }
    }
}

/// The table at the end of `--help`.
pub const TABLE: &str = "\
Exit codes:
  0    done, or already so
  1    failure, or the extension returned an error
  2    wrong command line
  3    not found: extension, function, artifact
  4    authentication
  5    refused by a capability or policy
  6    wrong digest or signature
  7    limit exceeded, or the extension crashed
  8    registry, network, or offline
  9    busy, local files, damaged state
  130  interrupted
`run` passes the exit status of the program on.";
