//! The exit codes, in one place.

/// What the shell is told. A guest cannot choose 5, 6 or 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or already so.
    Done = 0,
    /// A failure that has no code of its own, or the guest returned an error.
    Failure = 1,
    /// The command line is wrong. `clap` uses the same.
    Usage = 2,
    /// There is no such extension, function or artifact.
    NotFound = 3,
    /// The registry does not let us in.
    Authentication = 4,
    /// A capability or a policy refuses.
    Refused = 5,
    /// A digest or signature is wrong.
    Untrusted = 6,
    /// A limit was exceeded, or the guest crashed.
    Limit = 7,
    /// The registry or the network fails, or sesame is offline.
    Network = 8,
    /// Another sesame is at work, a file cannot be read or written, or what is on disk is damaged.
    Local = 9,
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> i32 {
        self as i32
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
  130  interrupted";
