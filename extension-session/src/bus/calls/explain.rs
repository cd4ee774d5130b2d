//! Failures of calls in words.

use core_types::{Activity, ErrorKind, ExtensionName};
use extension_depot::Opened;
use extension_host::CallError;
use extension_manager::OpenError;

/// Puts failures of calls into words: those of a command line with its hints, or those of a program
/// that embeds the service.
///
/// A text reaches the caller. It names neither a value that was passed nor one that was returned,
/// and nothing that the guest printed.
pub trait Explain: Send + Sync {
    /// Says why an extension cannot be called.
    fn unopened(&self, name: &ExtensionName, error: OpenError) -> Explained;

    /// Says why a call has no value. `activity` has its refusals.
    fn failed(&self, opened: &Opened, error: CallError, activity: &Activity) -> Explained;
}

/// A failure in words.
///
/// ```
/// use core_types::ErrorKind;
/// use extension_session::Explained;
///
/// let text = "`greet` is not installed\nhint: sesame extension list".to_owned();
/// let explained = Explained { kind: ErrorKind::NotFound, text };
/// assert_eq!(explained.kind.name(), "not-found");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Its kind, by which a program decides.
    pub kind: ErrorKind,
    /// The message with its causes and hints.
    pub text: String,
}
