//! The desktop behind the capabilities, as traits that a program can implement.
//!
//! A backend is asked only for granted requests. It may block: each request runs on a thread of its
//! own and is abandoned after four seconds.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use core_types::{Capability, EnvName, Owner, StoredValues};
use private_files::TimeoutError;
use tokio::sync::oneshot;

#[cfg(feature = "network")]
use super::network::HttpAccess;
use crate::calling::RateLimits;
use crate::directories::DirectoryRules;

/// The timeout of a backend: a keyring that asks for its password waits for ever. Less than the
/// default five seconds of a call, so that the extension learns why it waited.
pub(crate) const BACKEND_TIMEOUT: Duration = Duration::from_secs(4);

/// The name of a thread that waits for a backend, for debuggers.
const BACKEND_THREAD: &str = "sesame-backend";

/// Keeps the secrets of extensions, each under the identity of its owner.
pub trait SecretStore: Send + Sync {
    /// Reads the secret of this name.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] when it does not exist.
    fn read(&self, owner: &Owner, name: &str) -> Result<String, BackendError>;

    /// Stores a secret, replacing one of the same name.
    ///
    /// # Errors
    /// When it cannot be stored durably.
    fn store(&self, owner: &Owner, name: &str, value: &str) -> Result<(), BackendError>;

    /// Removes a secret.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] when it does not exist.
    fn remove(&self, owner: &Owner, name: &str) -> Result<(), BackendError>;

    /// Lists the names of all secrets of an owner, sorted.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn names(&self, owner: &Owner) -> Result<Vec<String>, BackendError>;
}

/// Shows notifications.
pub trait Notifier: Send + Sync {
    /// Shows a notification. Its texts are plain.
    ///
    /// # Errors
    /// When it cannot be shown.
    fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError>;
}

/// A notification on the desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The title.
    pub summary: String,
    /// The text.
    pub body: String,
    /// Whether the desktop may show it less prominently.
    pub is_minor: bool,
}

/// Puts text on the clipboard.
pub trait Clipboard: Send + Sync {
    /// Replaces the content of the clipboard. The text stays after this returns. The caller is gone
    /// after the deadline: give up by then.
    ///
    /// # Errors
    /// When the session has no clipboard, it is not for programs without a window, or it does not
    /// answer in time.
    fn set_text(&self, text: &str, deadline: Instant) -> Result<(), BackendError>;
}

/// Publishes messages to other programs.
pub trait Publisher: Send + Sync {
    /// Publishes a message.
    ///
    /// # Errors
    /// When it cannot be delivered.
    fn publish(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError>;
}

/// Keeps the storage of extensions, each under the identity of its owner.
pub trait Storage: Send + Sync {
    /// Takes the storage of an owner for one call. Returns nothing while another call has it. It
    /// does not wait for that.
    ///
    /// # Errors
    /// When it cannot be used.
    fn take(&self, owner: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError>;
}

/// The storage of one extension, which no other call has until this is dropped.
pub trait TakenStorage: Send {
    /// Reads the values.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self) -> Result<StoredValues, BackendError>;

    /// Replaces the values by these, all or nothing.
    ///
    /// # Errors
    /// When they cannot be written. The values are as they were.
    fn commit(&self, values: &StoredValues) -> Result<(), BackendError>;
}

/// A recorded web, which answers in the place of the real one. Requests are still decided by the
/// grants.
pub trait RecordedWeb: Send + Sync {
    /// Returns the answer to a request, by its method and address, if one was recorded.
    fn answer(&self, method: &str, address: &str) -> Option<RecordedAnswer>;
}

/// The recorded answer of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The variables of a session.
pub trait Environment: Send + Sync {
    /// Returns the value of a variable, if it is set and is text.
    fn variable(&self, name: &EnvName) -> Option<String>;
}

/// Why a backend failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The named thing does not exist.
    #[error("it is not there")]
    NotFound,
    /// The service is not available here or now.
    #[error("{0}")]
    Unavailable(String),
    /// Any other failure.
    #[error("{0}")]
    Other(String),
}

/// The backend of each capability. By default each answers that the program does not offer it.
///
/// ```
/// use std::sync::Arc;
///
/// use core_types::Owner;
/// use extension_host::{BackendError, Backends, Host, Notification, Notifier};
///
/// struct Window;
///
/// impl Notifier for Window {
///     fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError> {
///         println!("{}: {}", owner.name, notification.summary);
///         Ok(())
///     }
/// }
///
/// let backends = Backends { notifications: Arc::new(Window), ..Backends::default() };
/// let host = Host::new()?.with_backends(backends);
/// # Ok::<(), extension_host::HostError>(())
/// ```
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
    /// Behind `storage`. `extension-manager` has its own in this place.
    pub storage: Arc<dyn Storage>,
    /// Behind `env`.
    pub environment: Arc<dyn Environment>,
    /// Behind `filesystem`: the home directory, and the directories that no extension gets.
    pub directories: Arc<DirectoryRules>,
    /// Whether all network requests are refused.
    pub is_offline: bool,
    /// Behind `network`: certificates and proxies.
    #[cfg(feature = "network")]
    pub http: Arc<HttpAccess>,
    /// A recorded web that answers in the place of the real one, even offline.
    pub recorded_web: Option<Arc<dyn RecordedWeb>>,
    /// The rates of requests that disturb people.
    pub rates: Arc<RateLimits>,
}

/// Makes backends that all answer that the program does not offer them.
impl Default for Backends {
    fn default() -> Self {
        let absent = Arc::new(Absent);
        Self {
            secrets: absent.clone(),
            notifications: absent.clone(),
            clipboard: absent.clone(),
            publisher: absent.clone(),
            storage: absent.clone(),
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

impl Storage for Absent {
    fn take(&self, _: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError> {
        Self::offers("storage")
    }
}

impl Environment for Absent {
    fn variable(&self, _: &EnvName) -> Option<String> {
        None
    }
}

/// Asks a backend and waits for the answer, for four seconds at most.
///
/// # Errors
/// The backend's error, or [`BackendError::Unavailable`] when it does not answer in time.
pub fn with_timeout<T: Send + 'static>(
    capability: Capability,
    ask: impl FnOnce() -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    private_files::with_timeout(BACKEND_THREAD, BACKEND_TIMEOUT, ask)
        .map_err(|error| timed_out(error, capability))?
}

/// Tells why a backend did not answer a call with a timeout.
pub(super) fn timed_out(error: TimeoutError, capability: Capability) -> BackendError {
    match error {
        TimeoutError::Elapsed => no_answer(capability),
        TimeoutError::Thread(_) => BackendError::Other(error.to_string()),
    }
}

/// Asks a backend as [`with_timeout`] does, without blocking the thread of the call. The backend
/// has a thread of its own, which leaks if it never answers: on a thread of Tokio's pool it would
/// block the shutdown of the runtime.
pub(crate) async fn ask_backend<T: Send + 'static>(
    capability: Capability,
    ask: impl FnOnce() -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    let (answer, answered) = oneshot::channel();
    let thread = thread::Builder::new().name(BACKEND_THREAD.to_owned());
    thread
        .spawn(move || drop(answer.send(ask())))
        .map_err(|error| timed_out(TimeoutError::Thread(error), capability))?;
    match tokio::time::timeout(BACKEND_TIMEOUT, answered).await {
        Ok(Ok(answer)) => answer,
        _ => Err(no_answer(capability)),
    }
}

/// Returns the error for a backend that does not answer in time.
pub(crate) fn no_answer(capability: Capability) -> BackendError {
    let message = match capability {
        Capability::SecretRead | Capability::SecretWrite => {
            "the keyring did not answer within four seconds; it may be locked and wait for its password"
        }
        Capability::ClipboardWrite => "the clipboard did not answer within four seconds",
        _ => "the session bus did not answer within four seconds",
    };
    BackendError::Unavailable(message.to_owned())
}
