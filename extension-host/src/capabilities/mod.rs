//! The host's side of each capability, one file each: the interface, and the backend of an ordinary
//! session behind it. `backends.rs` has the traits that a program can implement, and the table
//! below links the interfaces.

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
mod storage;

pub(crate) use backends::ask_backend;
pub use backends::{
    BackendError, Backends, Clipboard, Environment, Notification, Notifier, Publisher,
    RecordedAnswer, RecordedWeb, SecretStore, Storage, TakenStorage, with_timeout,
};
#[cfg(feature = "clipboard")]
pub use clipboard_holder::{Display, HolderFailure, hold_clipboard};
#[cfg(feature = "ipc")]
pub use ipc_publish::SessionPublisher;
pub(crate) use log::link_logging;
#[cfg(feature = "network")]
pub use network::HttpAccess;
#[cfg(feature = "notification")]
pub use notification::{NotificationText, SessionNotifier};
pub use secrets::MAX_SECRET;
#[cfg(feature = "secrets")]
pub use secrets::SecretService;
#[cfg(feature = "clipboard")]
pub use session_clipboard::{HolderCommand, SessionClipboard};
pub use storage::MemoryStorage;
pub(crate) use storage::StorageUse;

#[cfg(any(feature = "secrets", feature = "notification", feature = "ipc"))]
use std::sync::Arc;

use wasmtime::component::HasSelf;

use crate::bindings::open_sesame::host;
use crate::calling::CallState;
use crate::linking::{Interface, interface_table};

/// The version of `wit/host`.
const HOST: &str = "0.1.1";

interface_table! {
    OWN_INTERFACES:
    "open-sesame:host/config-read" HOST |l| host::config_read::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/secret-read" HOST |l| host::secret_read::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/secret-write" HOST |l| host::secret_write::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/notification" HOST |l| host::notification::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/clipboard-write" HOST |l| host::clipboard_write::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/ipc-publish" HOST |l| host::ipc_publish::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/storage" HOST |l| host::storage::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/log" HOST |l| host::log::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
}

impl Backends {
    /// Returns the services of this login session, as far as they need no settings. Nothing is
    /// connected before it is needed.
    pub fn of_session() -> Self {
        Self {
            #[cfg(feature = "secrets")]
            secrets: Arc::new(SecretService),
            #[cfg(feature = "notification")]
            notifications: Arc::new(SessionNotifier),
            #[cfg(feature = "ipc")]
            publisher: Arc::new(SessionPublisher),
            ..Self::default()
        }
    }
}
