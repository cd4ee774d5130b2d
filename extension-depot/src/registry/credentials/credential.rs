//! Names, passwords and tokens, and where they are kept.

use std::fmt;
use std::path::PathBuf;

/// A name and password, or a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for shorter-lived ones; what `docker login` calls an identity
    /// token.
    RefreshToken(String),
}

/// The user name with which Docker and its helpers mark an identity token.
const TOKEN_USER: &str = "<token>";

impl Credential {
    /// What Docker and its helpers keep as a name and a secret.
    pub(crate) fn of_helper(username: String, secret: String) -> Self {
        match username.as_str() {
            TOKEN_USER => Self::RefreshToken(secret),
            _ => Self::Password { username, password: secret },
        }
    }

    /// Returns the user name.
    pub(crate) fn username(&self) -> &str {
        match self {
            Self::Password { username, .. } => username,
            Self::RefreshToken(_) => TOKEN_USER,
        }
    }
}

/// Debug output never includes the secret.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { username, .. } => write!(f, "Password({username:?}, <redacted>)"),
            Self::RefreshToken(_) => f.write_str("RefreshToken(<redacted>)"),
        }
    }
}

/// Files as `docker login` and `podman login` write them, in the order in which they are asked:
/// those of `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, the runtime directory, the configuration
/// directory and `~/.docker`. Their credential helpers are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialFiles(pub Vec<PathBuf>);

/// A login, and where it is kept.
#[derive(Debug, Clone)]
pub(crate) struct FoundLogin {
    pub(crate) credential: Credential,
    pub(crate) place: LoginPlace,
}

/// Where a login is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginPlace {
    /// It was given to this process.
    Process,
    /// The Secret Service of the session.
    SecretService,
    /// A file of logins.
    File(PathBuf),
    /// A credential helper, and the file that names it.
    Helper {
        /// The name behind `docker-credential-`.
        helper: String,
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Display for LoginPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("the environment or the command line"),
            Self::SecretService => f.write_str("the Secret Service"),
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Helper { helper, file } => {
                write!(
                    f,
                    "the credential helper `docker-credential-{helper}` of `{}`",
                    file.display()
                )
            }
        }
    }
}

/// Why a login does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginProblem {
    /// The registry or its token service refuses it.
    #[error("the login for `{registry}` from {place} is refused")]
    Refused {
        /// The registry.
        registry: String,
        /// Where the login is kept.
        place: LoginPlace,
    },
    /// A credential helper is missing, fails, or takes too long.
    #[error("the credential helper `docker-credential-{helper}` of `{}` fails: {reason}", file.display())]
    Helper {
        /// The name behind `docker-credential-`.
        helper: String,
        /// The file that names it.
        file: PathBuf,
        /// Its message.
        reason: String,
    },
    /// A file of logins cannot be used.
    #[error("cannot read logins from `{}`: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        reason: String,
    },
}

/// A notice for the user while a registry is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A credential helper takes its time.
    WaitingForHelper(String),
    /// A login did not help, and the registry is asked anonymously.
    Anonymous(LoginProblem),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitingForHelper(helper) => {
                write!(f, "waiting for the credential helper `docker-credential-{helper}`")
            }
            Self::Anonymous(problem) => write!(f, "{problem}; access is anonymous"),
        }
    }
}
