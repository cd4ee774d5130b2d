//! The host's side of each capability, one file each: the interface, and the backend of an ordinary
//! session behind it. `backends.rs` has the traits that a program can implement.

mod backends;
#[cfg(feature = "clipboard")]
mod clipboard_holder;
mod clipboard_write;
mod config_read;
mod config_store;
mod ipc_publish;
mod log;
pub(crate) mod network;
mod notification;
mod secrets;
#[cfg(any(feature = "notification", feature = "ipc"))]
mod session_bus;
#[cfg(feature = "clipboard")]
mod session_clipboard;

pub(crate) use backends::ask_backend;
pub use backends::{
    BackendError, Backends, Clipboard, Environment, Notification, Notifier, Publisher,
    RecordedAnswer, RecordedWeb, SecretStore, with_timeout,
};
#[cfg(feature = "clipboard")]
pub use clipboard_holder::{Display, HolderFailure, hold_clipboard};
#[cfg(feature = "ipc")]
pub use ipc_publish::SessionPublisher;
pub(crate) use log::link_logging;
#[cfg(feature = "network")]
pub use network::HttpAccess;
#[cfg(feature = "notification")]
pub use notification::SessionNotifier;
pub use secrets::MAX_SECRET;
#[cfg(feature = "secrets")]
pub use secrets::SecretService;
#[cfg(feature = "clipboard")]
pub use session_clipboard::{HolderCommand, SessionClipboard};
