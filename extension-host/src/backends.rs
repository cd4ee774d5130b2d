//! What the desktop offers, as traits that a program can fill with its own.
//!
//! A backend is asked only for what is granted. It may block: each request runs on a thread of its
//! own and is left after [`PATIENCE`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use core_types::{Capability, EnvName, Owner};
use private_files::{TimeoutError, with_timeout};

use crate::directories::DirectoryRules;
#[cfg(feature = "network")]
use crate::http_access::HttpAccess;
use crate::rate::RateLimits;

/// How long an extension waits for a backend. A keyring that asks for its password can wait
/// forever. It is less than the time that a call has by default, so that the extension learns why
/// it waited.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// Keeps the secrets of extensions, each under the identity of its owner.
pub trait SecretStore: Send + Sync {
    /// The secret of this name.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] when there is none.
    fn read(&self, owner: &Owner, name: &str) -> Result<String, BackendError>;

    /// Stores a secret in the place of any other of this name.
    ///
    /// # Errors
    /// When it cannot be stored for good.
    fn store(&self, owner: &Owner, name: &str, value: &str) -> Result<(), BackendError>;

    /// Forgets a secret.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] when there is none.
    fn remove(&self, owner: &Owner, name: &str) -> Result<(), BackendError>;

    /// The names of all secrets of an owner, in order.
    ///
    /// # Errors
    /// When they cannot be looked through.
    fn names(&self, owner: &Owner) -> Result<Vec<String>, BackendError>;
}

/// Shows notifications.
pub trait Notifier: Send + Sync {
    /// Shows a notification. Its texts are plain.
    ///
    /// # Errors
    /// When nobody shows it.
    fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError>;
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its title.
    pub summary: String,
    /// Its text.
    pub body: String,
    /// Whether it can be missed.
    pub is_minor: bool,
}

/// Puts text on the clipboard.
pub trait Clipboard: Send + Sync {
    /// Replaces what is on the clipboard. The text stays after this returns. Nobody waits any more
    /// after the deadline: what was not done by then is given up.
    ///
    /// # Errors
    /// When there is no clipboard, it is not for programs without a window, or it does not answer
    /// in time.
    fn set_text(&self, text: &str, deadline: Instant) -> Result<(), BackendError>;
}

/// Tells other programs that something happened.
pub trait Publisher: Send + Sync {
    /// Publishes a message.
    ///
    /// # Errors
    /// When there is nobody to give it to.
    fn publish(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError>;
}

/// A web that was recorded: what it answers is what it answered then. Requests are decided about as
/// ever.
pub trait RecordedWeb: Send + Sync {
    /// The answer to a request, by its method and address; nothing where none was recorded.
    fn answer(&self, method: &str, address: &str) -> Option<RecordedAnswer>;
}

/// What a host of the web answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Shows extensions the variables of a session.
pub trait Environment: Send + Sync {
    /// The value of a variable, if it has one that is text.
    fn variable(&self, name: &EnvName) -> Option<String>;
}

/// Why a backend did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// What was named is not there.
    #[error("it is not there")]
    NotFound,
    /// It cannot be done here or now.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What stands behind each capability. Without one, a program offers nothing.
#[derive(Clone)]
pub struct Backends {
    /// Behind `secret-read` and `secret-write`.
    pub secrets: Arc<dyn SecretStore>,
    /// Behind `notification`.
    pub notifications: Arc<dyn Notifier>,
    /// Behind `clipboard-write`.
    pub clipboard: Arc<dyn Clipboard>,
    /// Behind `ipc-publish`.
    pub publisher: Arc<dyn Publisher>,
    /// Behind `env`.
    pub environment: Arc<dyn Environment>,
    /// Behind `filesystem`: where `~` is, and what nobody is let into.
    pub directories: Arc<DirectoryRules>,
    /// Whether granted requests go out at all.
    pub is_offline: bool,
    /// Behind `network`: whom it trusts, and through which proxies it goes.
    #[cfg(feature = "network")]
    pub http: Arc<HttpAccess>,
    /// What answers in the place of the web, where something does; then nothing goes out, offline
    /// or not.
    pub recorded_web: Option<Arc<dyn RecordedWeb>>,
    /// How often extensions may do what bothers people.
    pub rates: Arc<RateLimits>,
}

/// No backend at all: each says so.
impl Default for Backends {
    fn default() -> Self {
        let absent = Arc::new(Absent);
        Self {
            secrets: absent.clone(),
            notifications: absent.clone(),
            clipboard: absent.clone(),
            publisher: absent.clone(),
            environment: absent,
            directories: Arc::new(DirectoryRules::default()),
            is_offline: false,
            #[cfg(feature = "network")]
            http: Arc::new(HttpAccess::default()),
            recorded_web: None,
            rates: Arc::new(RateLimits::default()),
        }
    }
}

struct Absent;

impl Absent {
    fn offers<T>(what: &str) -> Result<T, BackendError> {
        Err(BackendError::Unavailable(format!("this program offers no {what}")))
    }
}

impl SecretStore for Absent {
    fn read(&self, _: &Owner, _: &str) -> Result<String, BackendError> {
        Self::offers("secrets")
    }

    fn store(&self, _: &Owner, _: &str, _: &str) -> Result<(), BackendError> {
        Self::offers("secrets")
    }

    fn remove(&self, _: &Owner, _: &str) -> Result<(), BackendError> {
        Self::offers("secrets")
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        Self::offers("secrets")
    }
}

impl Notifier for Absent {
    fn show(&self, _: &Owner, _: &Notification) -> Result<(), BackendError> {
        Self::offers("notifications")
    }
}

impl Clipboard for Absent {
    fn set_text(&self, _: &str, _: Instant) -> Result<(), BackendError> {
        Self::offers("clipboard")
    }
}

impl Publisher for Absent {
    fn publish(&self, _: &Owner, _: &str, _: &str) -> Result<(), BackendError> {
        Self::offers("messages")
    }
}

impl Environment for Absent {
    fn variable(&self, _: &EnvName) -> Option<String> {
        None
    }
}

/// Asks a backend and waits at most [`PATIENCE`]. A backend that never answers keeps its thread and
/// nothing else.
///
/// # Errors
/// What the backend says, or [`BackendError::Unavailable`] when it says nothing.
pub fn patiently<T: Send + 'static>(
    capability: Capability,
    ask: impl FnOnce() -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    match with_timeout("sesame-backend", PATIENCE, ask) {
        Ok(answer) => answer,
        Err(TimeoutError::Elapsed) => {
            Err(BackendError::Unavailable(silence(capability).to_owned()))
        }
        Err(error @ TimeoutError::Thread(_)) => Err(BackendError::Other(error.to_string())),
    }
}

/// What is said of the backend of a capability that does not answer.
pub(crate) fn silence(capability: Capability) -> &'static str {
    match capability {
        Capability::SecretRead | Capability::SecretWrite => {
            "the keyring did not answer within four seconds; it may be locked and wait for its password"
        }
        Capability::ClipboardWrite => "the clipboard did not answer within four seconds",
        _ => "the session bus did not answer within four seconds",
    }
}
